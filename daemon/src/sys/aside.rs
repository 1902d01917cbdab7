//! Work that may take its time, done beside the event loop.

use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;

/// Does a job on a thread of its own and waits for it without keeping anybody else waiting. Where the system gives no
/// thread the job is done here and now: late is better than never. (The runtime's own pool panics then.)
///
/// `None`: the job has panicked.
pub async fn aside<T, F>(job: F) -> Option<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    // The thread takes the job from a channel, so that it is still here if there is no thread.
    let (give, take) = mpsc::channel::<F>();
    let (tell, told) = oneshot::channel();
    let work = move || {
        if let Ok(job) = take.recv() {
            // Who does not wait any more does not want to know.
            let _ = tell.send(job());
        }
    };
    match thread::Builder::new().name("aside".into()).spawn(work) {
        Ok(_) => match give.send(job) {
            Ok(()) => told.await.ok(),
            Err(mpsc::SendError(job)) => Some(job()),
        },
        Err(_) => Some(job()),
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::resource::{Resource, setrlimit};
    use nix::unistd::{Uid, setuid};

    use super::*;
    use crate::sys::testing::in_own_process;

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(future)
    }

    #[test]
    fn a_job_is_done_on_another_thread() {
        let here = thread::current().id();
        let there = run(aside(|| thread::current().id()));
        assert!(there.is_some_and(|there| there != here));
    }

    #[test]
    fn without_threads_a_job_is_done_here() {
        in_own_process(
            "sys::aside::tests::without_threads_a_job_is_done_here",
            || {
                // The limit means nothing to root.
                if Uid::current().is_root() {
                    setuid(Uid::from_raw(65534)).unwrap();
                }
                setrlimit(Resource::RLIMIT_NPROC, 0, 0).unwrap();
                let here = thread::current().id();
                let there = run(aside(|| thread::current().id()));
                assert_eq!(there, Some(here));
            },
        );
    }
}
