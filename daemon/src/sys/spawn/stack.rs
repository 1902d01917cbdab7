//! The stack children run on until they exec: mapped once, used again and again.

use std::cell::OnceCell;
use std::ffi::c_void;
use std::ptr;

use nix::errno::Errno;
use nix::unistd::Pid;

use super::child::Launch;

/// Room for the child's few frames, with a wide margin for unoptimised builds.
const STACK_BYTES: usize = 128 * 1024;
/// Below the stack; touching it is a fault. As large as the largest page Linux uses.
const GUARD_BYTES: usize = 64 * 1024;

thread_local! {
    /// One stack per spawning thread suffices: the thread stands still while a child uses it.
    static STACK: OnceCell<Stack> = const { OnceCell::new() };
}

/// Runs [`Launch::enter`] in a new process that shares our memory, and waits until it has left it.
pub(super) fn clone_onto(launch: &Launch<'_>) -> nix::Result<Pid> {
    STACK.with(|cell| {
        let stack = match cell.get() {
            Some(stack) => stack,
            None => {
                let mapped = Stack::map()?;
                cell.get_or_init(|| mapped)
            }
        };
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD | launch.clone_flags();
        let argument = ptr::from_ref(launch).cast_mut().cast::<c_void>();
        // SAFETY: `stack` is mapped, writable and used by nobody else, because CLONE_VFORK suspends
        // this thread until the child has exec'd or exited; for the same reason `launch` stays
        // alive. All signals are blocked, so that no handler runs on that stack.
        let pid = unsafe { libc::clone(Launch::enter, stack.top(), flags, argument) };
        Errno::result(pid).map(Pid::from_raw)
    })
}

struct Stack {
    base: *mut c_void,
}

impl Stack {
    fn map() -> nix::Result<Self> {
        let length = GUARD_BYTES + STACK_BYTES;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let base = unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        let stack = Self { base };
        // SAFETY: the part above the guard lies within the mapping just made.
        let opened = unsafe {
            libc::mprotect(
                base.byte_add(GUARD_BYTES),
                STACK_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
            )
        };
        Errno::result(opened)?;
        Ok(stack)
    }

    /// Where a stack that grows downwards begins; page-aligned.
    fn top(&self) -> *mut c_void {
        // SAFETY: one past the end of the mapping.
        unsafe { self.base.byte_add(GUARD_BYTES + STACK_BYTES) }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: maps exactly what `map` has mapped, and no child runs on it any more.
        unsafe { libc::munmap(self.base, GUARD_BYTES + STACK_BYTES) };
    }
}
