//! What is refused, and help: the same exit codes and complaints; the explanations are our own.

use std::process::{Command, Stdio};

use callboard_tests::Flavour;

/// Command lines that lead to nothing but text.
const LINES: &[&str] = &[
    "memmon",
    "memmon -h",
    "memmon --help",
    "memmon -p foo -h",
    "memmon -x",
    "memmon -p",
    "memmon -p foo",
    "memmon --prog=a=b=c",
    "memmon -p a=1.5GB",
    "memmon -g a=",
    "memmon -g a=10M",
    "memmon -a 10k",
    "memmon -a x'y",
    "memmon --any=größe",
    "memmon -u 1w",
    "memmon --uptime=",
    "memmon --e=a --email",
    "httpok",
    "httpok -h",
    "httpok -p web --help",
    "httpok -a",
    "httpok -x http://a/",
    "httpok http://a/ -a",
    "httpok -p",
    "httpok --co=1 http://a/",
    "crashmail -h",
    "crashmail --help",
    "crashmail -x",
    "crashmail -p",
    "crashmail --email",
    "crashmailbatch -h",
    "crashmailbatch",
    "crashmailbatch -t a@b",
    "crashmailbatch -f a@b",
    "crashmailbatch -x",
    "crashmailbatch -t a@b -f c@d -i x",
    "crashmailbatch -t",
    "crashmailbatch --t=a",
    "fatalmailbatch --help",
    "fatalmailbatch",
    "fatalmailbatch --nonsense",
    "fatalmailbatch --tls=1",
    "crashsms -h",
    "crashsms",
    "crashsms -f c@d --interval=1x",
];

/// Exit code, complaint, and whether there was help.
fn outcome(flavour: Flavour, line: &str) -> (Option<i32>, String, bool) {
    let mut words = line.split(' ');
    let tool = words.next().expect("a program");
    let output = Command::new(flavour.command(tool))
        .args(words)
        .env("SUPERVISOR_SERVER_URL", "http://127.0.0.1:1")
        .env("LC_ALL", "C.UTF-8")
        .env("COLUMNS", "80")
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let help = stdout.contains("Options:");
    let complaint = stdout
        .lines()
        .next()
        .filter(|text| text.starts_with("Unparseable"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    // optparse begins with the synopsis.
    let error = stderr.lines().find(|text| text.contains(": error: "));
    let said = complaint.or(error).unwrap_or_default().to_owned();
    (output.status.code(), said, help)
}

#[test]
fn refusals_and_help_have_the_same_exit_codes() {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        while let Some(line) = LINES.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            assert_eq!(
                outcome(Flavour::Ours, line),
                outcome(Flavour::Original, line),
                "{line}"
            );
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
}
