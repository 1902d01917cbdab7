//! Where ours do better, and why.

use callboard_tests::deliberate::{Deliberate, Text, original, ours};

/// The original ends with a traceback, and its event comes back to the next.
const CRASHES: &[&str] = &[
    "memmon -p stuck=1 among [stuck]",
    "memmon -p broken=1 among [broken]",
    "memmon -a 1 -m a@b -s {mail} among [stuck]",
    "memmon -a 1 -u 1 -m a@b -s {mail} -n N among [broken]",
    "memmon -a 1 among [shutting down]",
    "memmon -p web:web=1",
    "memmon -p web:web=1GB",
    "httpok -a -m a@b -s {mail} {url}/503 among [shutting down]",
    "httpok -a -E {url}/503 among [shutting down]",
    "httpok -p web -b world {url}/ok",
    "httpok -p web -b worlds -m a@b -s {mail} {url}/ok",
];

/// Calls that fail.
const FAULTS: &[&str] = &[
    "memmon -p stuck=1 among [stuck]",
    "memmon -p broken=1 among [broken]",
    "memmon -a 1 -m a@b -s {mail} among [stuck]",
    "memmon -a 1 -u 1 -m a@b -s {mail} -n N among [broken]",
    "memmon -a 1 among [shutting down]",
    "httpok -a -m a@b -s {mail} {url}/503 among [shutting down]",
    "httpok -a -E {url}/503 among [shutting down]",
];

const NO_ANSWER: &[&str] = &[
    "memmon -a 1 among [shutting down]",
    "httpok -a -m a@b -s {mail} {url}/503 among [shutting down]",
    "httpok -a -E {url}/503 among [shutting down]",
];

const GROUP_AND_PROCESS: &[&str] = &["memmon -p web:web=1", "memmon -p web:web=1GB"];

const BODY: &[&str] = &[
    "httpok -p web -b world {url}/ok",
    "httpok -p web -b worlds -m a@b -s {mail} {url}/ok",
];

/// Cases in which the listener itself is meant.
const ITSELF: &[&str] = &[
    "httpok -a {url}/503 among [web watch]",
    "httpok -p watch {url}/503 among [web watch]",
];

const SENDMAIL_FAILS: &[&str] = &[
    "memmon -p web=1 -m ops@example.com -s {mail}; exit 3 -n N",
    "httpok -p web -m ops@example.com -s {mail}; exit 3 {url}/503",
    "crashmail -m a@b -s {mail}; exit 3",
];

/// Those of them that say what they mailed.
const SENDMAIL_MUST_WORK: &[&str] = &[
    "httpok -p web -m ops@example.com -s {mail}; exit 3 {url}/503",
    "crashmail -m a@b -s {mail}; exit 3",
];

/// With -E, groups and -a are overlooked by the original.
const NOT_EAGER: &[&str] = &["httpok -a -E {url}/503", "httpok -p workers:a -E {url}/503"];

const REFUSED: &[&str] = &["httpok -p web -m a@b -s {mail} http://127.0.0.1:1/refused"];
const GARBAGE: &[&str] = &["httpok -p web -m a@b -s {mail} {url}/garbage"];

const NOT_ALL_CRASHES: &[&str] = &["crashmail -p web -m ops@example.com -s {mail}"];
const NO_ADDRESS: &[&str] = &["crashmail -s {mail}"];

const BAD_TICK: &[&str] = &[
    "crashmailbatch -t a@x.org -f me@z.org -e TOCK_5",
    "fatalmailbatch -t a@x.org -f me@z.org -e TOCK_5",
    "crashsms -t a@x.org -f me@z.org -e TOCK_5",
];

const NO_TLS: &[&str] = &[
    "crashmailbatch -t a@x.org -f me@z.org -H {smtp} --tls -u me -p secret",
    "fatalmailbatch -t a@x.org -f me@z.org -H {smtp} --tls -u me -p secret",
    "crashsms -t a@x.org -f me@z.org -H {smtp} --tls -u me -p secret",
];

/// Subjects with the name of the last limit in them.
const NAMED_BY_LIMIT: &[&str] = &[
    "memmon -p web=1 -m ops@example.com -s {mail}",
    "memmon -n host 1 -p web=1 -m ops@example.com -s {mail}",
];

const TWICE: &[&str] = &["memmon -p web=1 -a 1"];
const UNMEASURED: &[&str] = &[
    "memmon -g web=1 -a 1",
    "memmon --cumulative --program=web=1GB --group=workers=1 --any=2GB --sendmail_program={mail} \
     --email=ops@example.com --uptime=1d --name=long",
];
const PRINTS: &[&str] = &["memmon -p web=1 -m ops@example.com -s {mail}; echo sent -n N"];

/// All wanted differences.
pub(crate) const DELIBERATE: &[Deliberate] = &[
    original(
        CRASHES,
        Text::Is("ended: exit status: 1"),
        "a failure is logged, and the listener goes on",
    ),
    ours(
        CRASHES,
        Text::Is("out| \"RESULT 2\\nOK\""),
        "a failure is logged, and the listener goes on",
    ),
    original(
        FAULTS,
        Text::Has("xmlrpc.client.Fault: "),
        "no traceback, and on it goes",
    ),
    ours(
        NO_ANSWER,
        Text::Has("Exception retrieving process info <Fault 6"),
        "no traceback, and on it goes",
    ),
    original(NO_ANSWER, Text::Is("err| "), "no traceback, and on it goes"),
    ours(
        &["httpok -a -m a@b -s {mail} {url}/503 among [shutting down]"],
        Text::Has("asked| GET /503"),
        "the URL is asked before supervisord is",
    ),
    original(
        GROUP_AND_PROCESS,
        Text::Has("KeyError: 'web'"),
        "a limit is found by the name it was given for",
    ),
    original(
        GROUP_AND_PROCESS,
        Text::Is("err| "),
        "a limit is found by the name it was given for",
    ),
    ours(
        &["memmon -p web:web=1"],
        Text::Has("Restarting web:web"),
        "a limit is found by the name it was given for",
    ),
    ours(
        &["memmon -p web:web=1"],
        Text::Is("call| stop web:web"),
        "a limit is found by the name it was given for",
    ),
    ours(
        &["memmon -p web:web=1"],
        Text::Is("call| start web:web"),
        "a limit is found by the name it was given for",
    ),
    ours(
        &["memmon -p ghost=1"],
        Text::Has("No process matches -p ghost"),
        "a misspelt name is told once",
    ),
    ours(
        &["memmon -g ghosts=1"],
        Text::Has("No process matches -g ghosts"),
        "a misspelt name is told once",
    ),
    original(
        &["memmon -a 1, alone"],
        Text::Has("KeyError: 'SUPERVISOR_SERVER_URL'"),
        "no traceback",
    ),
    original(&["memmon -a 1, alone"], Text::Is("err| "), "no traceback"),
    ours(
        &["memmon -a 1, alone"],
        Text::Has("memmon must be run as a supervisor event listener"),
        "no traceback",
    ),
    original(
        &["memmon -a 1 among [web watch]"],
        Text::Has("Restarting watch:watch"),
        "nobody would start it again",
    ),
    ours(
        &["memmon -a 1 among [web watch]"],
        Text::Has("Not restarting watch:watch: it is this memmon"),
        "nobody would start it again",
    ),
    original(
        &["memmon -a 1 among [web watch]"],
        Text::Is("call| stop watch:watch"),
        "nobody would start it again",
    ),
    original(
        &["memmon -a 1 among [web watch]"],
        Text::Is("call| start watch:watch"),
        "nobody would start it again",
    ),
    original(
        ITSELF,
        Text::Has("watch is in RUNNING state, restarting"),
        "nobody would start it again",
    ),
    original(
        ITSELF,
        Text::Has("watch restarted"),
        "nobody would start it again",
    ),
    ours(
        ITSELF,
        Text::Has("watch is this httpok, NOT restarting"),
        "nobody would start it again",
    ),
    original(
        ITSELF,
        Text::Is("call| stop watch"),
        "nobody would start it again",
    ),
    original(
        ITSELF,
        Text::Is("call| start watch"),
        "nobody would start it again",
    ),
    original(
        NAMED_BY_LIMIT,
        Text::Has("Subject: memmon [web]: "),
        "the name is what -n says",
    ),
    ours(
        NAMED_BY_LIMIT,
        Text::Has("Subject: memmon"),
        "the name is what -n says",
    ),
    original(
        TWICE,
        Text::Has("Restarting web:web"),
        "a process is restarted once in a tick",
    ),
    original(
        TWICE,
        Text::Is("call| stop web:web"),
        "a process is restarted once in a tick",
    ),
    original(
        TWICE,
        Text::Is("call| start web:web"),
        "a process is restarted once in a tick",
    ),
    ours(
        UNMEASURED,
        Text::Has("err| RSS of "),
        "every limit says what it saw",
    ),
    original(
        PRINTS,
        Text::Is("out| \"sent\\nRESULT 2\\nOK\""),
        "standard output belongs to the protocol",
    ),
    ours(
        PRINTS,
        Text::Is("out| \"RESULT 2\\nOK\""),
        "standard output belongs to the protocol",
    ),
    ours(
        PRINTS,
        Text::Is("err| sent"),
        "standard output belongs to the protocol",
    ),
    ours(
        SENDMAIL_FAILS,
        Text::Has("err| mail not sent: "),
        "mail that fails is told, and tried again",
    ),
    original(
        SENDMAIL_MUST_WORK,
        Text::Is("err| Mailed:"),
        "only what was handed over is called mailed",
    ),
    original(
        SENDMAIL_MUST_WORK,
        Text::Has("err| To: "),
        "only what was handed over is called mailed",
    ),
    original(
        SENDMAIL_MUST_WORK,
        Text::Has("err| Subject: "),
        "only what was handed over is called mailed",
    ),
    original(
        SENDMAIL_MUST_WORK,
        Text::Is("err| "),
        "only what was handed over is called mailed",
    ),
    original(
        &["crashmail -m a@b -s {mail}; exit 3"],
        Text::Has("err| Process web in group web exited"),
        "only what was handed over is called mailed",
    ),
    original(
        &["httpok -p web -m ops@example.com -s {mail}; exit 3 {url}/503"],
        Text::Has("err| status contacting "),
        "only what was handed over is called mailed",
    ),
    original(
        &["httpok -p web -m ops@example.com -s {mail}; exit 3 {url}/503"],
        Text::Has("err| Restarting selected processes ['web']"),
        "only what was handed over is called mailed",
    ),
    original(
        &["httpok -p web -m ops@example.com -s {mail}; exit 3 {url}/503"],
        Text::Has("err| web is in RUNNING state, restarting"),
        "only what was handed over is called mailed",
    ),
    original(
        &["httpok -p web -m ops@example.com -s {mail}; exit 3 {url}/503"],
        Text::Has("err| web restarted"),
        "only what was handed over is called mailed",
    ),
    original(
        BODY,
        Text::Has("TypeError: a bytes-like object is required"),
        "text is looked for in bytes",
    ),
    original(
        &["httpok -p web -b world {url}/ok"],
        Text::Is("err| "),
        "text is looked for in bytes",
    ),
    ours(
        &["httpok -p web -b worlds -m a@b -s {mail} {url}/ok"],
        Text::Has("Restarting selected processes ['web']"),
        "text is looked for in bytes",
    ),
    ours(
        &["httpok -p web -b worlds -m a@b -s {mail} {url}/ok"],
        Text::Has("web is in RUNNING state, restarting"),
        "text is looked for in bytes",
    ),
    ours(
        &["httpok -p web -b worlds -m a@b -s {mail} {url}/ok"],
        Text::Has("web restarted"),
        "text is looked for in bytes",
    ),
    ours(
        &["httpok -p web -b worlds -m a@b -s {mail} {url}/ok"],
        Text::Has("Mailed:"),
        "text is looked for in bytes",
    ),
    ours(
        &["httpok -p web -b worlds -m a@b -s {mail} {url}/ok"],
        Text::Has("To: a@b"),
        "text is looked for in bytes",
    ),
    ours(
        &["httpok -p web -b worlds -m a@b -s {mail} {url}/ok"],
        Text::Has("Subject: httpok: http://127.0.0.1:<port>/ok: bad body returned"),
        "text is looked for in bytes",
    ),
    ours(
        &["httpok -p web -b worlds -m a@b -s {mail} {url}/ok"],
        Text::Has("status contacting http://127.0.0.1:<port>/ok: 200 OK"),
        "text is looked for in bytes",
    ),
    ours(
        &["httpok -p web -b worlds -m a@b -s {mail} {url}/ok"],
        Text::Is("call| stop web"),
        "text is looked for in bytes",
    ),
    ours(
        &["httpok -p web -b worlds -m a@b -s {mail} {url}/ok"],
        Text::Is("call| start web"),
        "text is looked for in bytes",
    ),
    ours(
        &["httpok -p web -b worlds -m a@b -s {mail} {url}/ok"],
        Text::Is("mail| "),
        "text is looked for in bytes",
    ),
    ours(
        NOT_EAGER,
        Text::Has("err| Restarting "),
        "-E looks for what would be restarted",
    ),
    ours(
        NOT_EAGER,
        Text::Has("is in RUNNING state, restarting"),
        "-E looks for what would be restarted",
    ),
    ours(
        NOT_EAGER,
        Text::Has(" restarted"),
        "-E looks for what would be restarted",
    ),
    ours(
        NOT_EAGER,
        Text::Has("call| stop "),
        "-E looks for what would be restarted",
    ),
    ours(
        NOT_EAGER,
        Text::Has("call| start "),
        "-E looks for what would be restarted",
    ),
    ours(
        NOT_EAGER,
        Text::Has("asked| GET /503"),
        "-E looks for what would be restarted",
    ),
    ours(
        &["httpok -a -E {url}/503"],
        Text::Has("workers:b not in RUNNING state, NOT restarting"),
        "-E looks for what would be restarted",
    ),
    original(
        REFUSED,
        Text::Has("getaddrinfo returns an empty list"),
        "the true cause",
    ),
    ours(
        REFUSED,
        Text::Has("[Errno 111] Connection refused"),
        "the true cause",
    ),
    original(GARBAGE, Text::Has("|  what?"), "another HTTP library"),
    original(GARBAGE, Text::Is("err| "), "another HTTP library"),
    original(GARBAGE, Text::Is("mail| "), "another HTTP library"),
    ours(
        GARBAGE,
        Text::Has("|  protocol: http parse fail: "),
        "another HTTP library",
    ),
    original(
        &["httpok -p web ftp://127.0.0.1/"],
        Text::Is("err| ValueError: Bad scheme ftp"),
        "no traceback",
    ),
    original(
        &["httpok -p web ftp://127.0.0.1/"],
        Text::Is("err| "),
        "no traceback",
    ),
    ours(
        &["httpok -p web ftp://127.0.0.1/"],
        Text::Is("err| Bad scheme ftp"),
        "no traceback",
    ),
    original(NOT_ALL_CRASHES, Text::Has("Process w"), "-p is obeyed"),
    original(NOT_ALL_CRASHES, Text::Has("Mailed:"), "-p is obeyed"),
    original(
        NOT_ALL_CRASHES,
        Text::Has("To: ops@example.com"),
        "-p is obeyed",
    ),
    original(
        NOT_ALL_CRASHES,
        Text::Has("Subject:  wörker crashed"),
        "-p is obeyed",
    ),
    original(NOT_ALL_CRASHES, Text::Is("err| "), "-p is obeyed"),
    original(NOT_ALL_CRASHES, Text::Is("mail| "), "-p is obeyed"),
    ours(
        NOT_ALL_CRASHES,
        Text::Is("err| Process web in group web exited unexpectedly (pid 4711) from state RUNNING"),
        "-p is obeyed",
    ),
    original(
        NO_ADDRESS,
        Text::Has("Process w"),
        "without an address there is nobody to mail to",
    ),
    original(
        NO_ADDRESS,
        Text::Has("Mailed:"),
        "without an address there is nobody to mail to",
    ),
    original(
        NO_ADDRESS,
        Text::Has("To: None"),
        "without an address there is nobody to mail to",
    ),
    original(
        NO_ADDRESS,
        Text::Has("crashed at"),
        "without an address there is nobody to mail to",
    ),
    original(
        NO_ADDRESS,
        Text::Is("err| "),
        "without an address there is nobody to mail to",
    ),
    original(
        NO_ADDRESS,
        Text::Is("mail| "),
        "without an address there is nobody to mail to",
    ),
    ours(
        NO_ADDRESS,
        Text::Is("err| unexpected exit, mailing"),
        "without an address there is nobody to mail to",
    ),
    original(
        BAD_TICK,
        Text::Is("err| ValueError: Invalid TICK event name: TOCK_5"),
        "no traceback",
    ),
    original(BAD_TICK, Text::Is("err| "), "no traceback"),
    ours(
        BAD_TICK,
        Text::Is("err| Invalid TICK event name: TOCK_5"),
        "no traceback",
    ),
    original(
        NO_TLS,
        Text::Has("Error sending email: (454, b'not today')"),
        "another SMTP library",
    ),
    ours(
        NO_TLS,
        Text::Has("Error sending email: transient error (454): not today"),
        "another SMTP library",
    ),
];
