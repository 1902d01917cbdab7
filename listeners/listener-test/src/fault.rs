//! What a listener can do wrong, in words, with a way out.

use std::process::ExitStatus;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// The protocol is broken, or a supervisord would have trouble with it.
    Wrong,
    /// It works, but could surprise.
    Advice,
}

/// What a listener can do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the table below says it
pub(crate) enum Kind {
    NotStarted,
    Died,
    NotReady,
    NotReadyAgain,
    NoLineFeed,
    CarriageReturn,
    NotFlushed,
    TextBeforeReady,
    TextAfterReady,
    ReadyTwice,
    ResultUnasked,
    NoResult,
    ReadsLines,
    WaitsForEof,
    BadResultLine,
    SloppyResultLine,
    PrintsWhileBusy,
    ReadyInsteadOfResult,
    WrongLength,
    LineFeedAfterResult,
    UnknownResult,
    EarlyAnswer,
    CountsBytes,
    CountsCharacters,
    CountsUnits,
    LosesPieces,
    AnswersHalf,
    StaysAfterEof,
    TalksAfterEof,
    IgnoresSigterm,
    AlwaysFails,
    EndsBadly,
    SplitsAtColons,
}

use Kind::*;
use Weight::{Advice, Wrong};

/// Kind, code, what it is, what to do.
type Row = (Kind, Weight, &'static str, &'static str, &'static str);

const FLUSH: &str = "flush standard output after each write: sys.stdout.flush() in Python, fflush(stdout) in C, \
    $| = 1 in Perl, stdbuf for tools";
const STDERR: &str = "standard output belongs to the protocol: send logs and prints, also those of libraries and \
    of commands the listener runs, to standard error";

const ROWS: [Row; 33] = [
    (
        NotStarted,
        Wrong,
        "not-started",
        "the command cannot be started",
        "check its path, its permissions and its first line",
    ),
    (
        Died,
        Wrong,
        "died",
        "the listener ended",
        "look at what it wrote to standard error; an event it cannot use is to be answered with OK all the same",
    ),
    (
        NotReady,
        Wrong,
        "not-ready",
        "the listener did not say READY in time",
        "write \"READY\\n\" before anything else, and flush; do slow preparations afterwards, or give a longer time with -t",
    ),
    (
        NotReadyAgain,
        Wrong,
        "not-ready-again",
        "the listener did not say READY after its result in time",
        "write \"READY\\n\" after each result; an event is sent only to a listener that is READY",
    ),
    (
        NoLineFeed,
        Wrong,
        "no-line-feed",
        "READY does not end in a line feed",
        "write \"READY\\n\": six bytes",
    ),
    (
        CarriageReturn,
        Wrong,
        "carriage-return",
        "READY ends in a carriage return",
        "write \"READY\\n\" in binary mode, without translation of line ends",
    ),
    (
        NotFlushed,
        Wrong,
        "not-flushed",
        "the answer was written but not flushed: it came only when the input was closed",
        FLUSH,
    ),
    (
        TextBeforeReady,
        Wrong,
        "text-before-ready",
        "the listener wrote something else where READY belongs",
        STDERR,
    ),
    (
        TextAfterReady,
        Wrong,
        "text-after-ready",
        "the listener wrote something after READY, without an event",
        STDERR,
    ),
    (
        ReadyTwice,
        Wrong,
        "ready-twice",
        "the listener said READY twice",
        "say READY once for each event: at the start and after each result",
    ),
    (
        ResultUnasked,
        Wrong,
        "result-unasked",
        "the listener gave a result without an event",
        "give one result for each event; a second thread must not answer on its own",
    ),
    (
        NoResult,
        Wrong,
        "no-result",
        "the listener did not answer the event in time",
        "read exactly the announced number of characters, nothing follows them, not even a line feed; then write \
         \"RESULT 2\\nOK\" and flush",
    ),
    (
        ReadsLines,
        Wrong,
        "reads-lines",
        "the listener waits for more than the payload: it answered after a line feed",
        "read exactly as many characters as len announces; nothing follows them, not even a line feed",
    ),
    (
        WaitsForEof,
        Wrong,
        "waits-for-eof",
        "the answer came only when the input was closed",
        "read exactly as many characters as len announces, not to the end of input; flush standard output after each write",
    ),
    (
        BadResultLine,
        Wrong,
        "bad-result-line",
        "the result line has no length",
        "write \"RESULT 2\\nOK\": the word, a blank, the length of the body as a number, a line feed, the body",
    ),
    (
        SloppyResultLine,
        Wrong,
        "sloppy-result-line",
        "the result line does not start with \"RESULT \"",
        "write \"RESULT 2\\nOK\"; supervisord reads the number only, other daemons may be stricter",
    ),
    (
        PrintsWhileBusy,
        Wrong,
        "prints-while-busy",
        "the listener wrote something else before its result",
        STDERR,
    ),
    (
        ReadyInsteadOfResult,
        Wrong,
        "ready-instead-of-result",
        "the listener said READY instead of giving a result",
        "answer each event with \"RESULT 2\\nOK\", also those it does not care about, and only then say READY",
    ),
    (
        WrongLength,
        Wrong,
        "wrong-length",
        "the length in the result line is not that of the body",
        "the length counts the bytes of the body only: 2 for OK, 4 for FAIL; no line feed belongs to it",
    ),
    (
        LineFeedAfterResult,
        Wrong,
        "line-feed-after-result",
        "a line feed follows the body of the result",
        "nothing may follow OK: print() and puts() add a line feed; write \"RESULT 2\\nOK\" without",
    ),
    (
        UnknownResult,
        Wrong,
        "unknown-result",
        "the body of the result is neither OK nor FAIL",
        "supervisord takes everything but OK for a refusal and sends the event again; say OK or FAIL",
    ),
    (
        EarlyAnswer,
        Wrong,
        "early-answer",
        "the listener answered before it had the whole event",
        "read as much as len announces before answering; the rest would be taken for the next header",
    ),
    (
        CountsBytes,
        Wrong,
        "counts-bytes",
        "the listener takes len for a number of bytes; it counts characters",
        "read text, not bytes: open(0, encoding='utf-8', newline='\\n').read(len) in Python, ReadRune in Go; or set \
         event_len=bytes in its section, which only Callboard knows, and test with -b",
    ),
    (
        CountsCharacters,
        Wrong,
        "counts-characters",
        "the listener takes len for a number of characters; here it counts bytes",
        "read bytes and decode them afterwards; or leave event_len=bytes out of its section, and test without -b",
    ),
    (
        CountsUnits,
        Wrong,
        "counts-utf16",
        "the listener counts characters beyond U+FFFF twice, in UTF-16 units",
        "in JavaScript, Java and C# count code points instead of a string's length",
    ),
    (
        LosesPieces,
        Wrong,
        "loses-pieces",
        "the listener needs an event in one piece",
        "an event may come in any number of pieces, cut anywhere: read again until all of it is there",
    ),
    (
        AnswersHalf,
        Advice,
        "answers-half",
        "the listener answered an event that was cut short by the end of input",
        "end when the input ends before len characters are there",
    ),
    (
        StaysAfterEof,
        Wrong,
        "stays-after-eof",
        "the listener stayed when its input had ended",
        "an empty read means that supervisord is gone: end, or listeners without a master pile up",
    ),
    (
        TalksAfterEof,
        Wrong,
        "talks-after-eof",
        "the listener went on writing when its input had ended",
        "an empty read means that supervisord is gone: end, do not say READY again",
    ),
    (
        IgnoresSigterm,
        Wrong,
        "ignores-sigterm",
        "the listener did not end on SIGTERM",
        "end on SIGTERM within stopwaitsecs, or supervisord kills it; a shell should exec its last command",
    ),
    (
        AlwaysFails,
        Advice,
        "always-fails",
        "the listener answered FAIL each time",
        "FAIL means: send it again; an event that will never succeed is to be answered with OK",
    ),
    (
        EndsBadly,
        Advice,
        "ends-badly",
        "the listener ended with an error when its input had ended",
        "the end of input is no error: end quietly",
    ),
    (
        SplitsAtColons,
        Advice,
        "splits-at-colons",
        "the listener cannot read a header with a second colon in a token",
        "split each token at its first colon only: the identifier of a supervisor may contain one",
    ),
];

impl Kind {
    /// A word for machines.
    pub(crate) const fn code(self) -> &'static str {
        ROWS[self as usize].2
    }

    /// What it is.
    pub(crate) const fn what(self) -> &'static str {
        ROWS[self as usize].3
    }

    /// What to do about it.
    pub(crate) const fn hint(self) -> &'static str {
        ROWS[self as usize].4
    }

    /// How bad it is.
    pub(crate) const fn weight(self) -> Weight {
        ROWS[self as usize].1
    }
}

/// Something a listener did wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What.
    pub(crate) kind: Kind,
    /// How that showed, if it was found out by comparison.
    pub(crate) symptom: Option<Kind>,
    /// Type of the event it had, if any.
    pub(crate) event: Option<&'static str>,
    /// What it wrote on standard output.
    pub(crate) output: Vec<u8>,
    /// How it ended, or why it did not start.
    pub(crate) ending: Option<String>,
    /// The last it wrote on standard error.
    pub(crate) errors: String,
}

impl Fault {
    /// A fault of this kind, without circumstances.
    pub(crate) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            symptom: None,
            event: None,
            output: Vec::new(),
            ending: None,
            errors: String::new(),
        }
    }

    /// With what the listener wrote.
    pub(crate) fn wrote(mut self, output: &[u8]) -> Self {
        self.output = output.to_vec();
        self
    }

    /// With how it ended.
    pub(crate) fn ended(mut self, status: Option<ExitStatus>) -> Self {
        self.ending = status.map(|status| status.to_string());
        self
    }

    /// This fault, found out to be of another kind.
    pub(crate) fn turns_out(mut self, kind: Kind) -> Self {
        self.symptom = Some(self.kind);
        self.kind = kind;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_table_is_indexed_by_the_kind() {
        let mut codes = HashSet::new();
        for (index, row) in ROWS.iter().enumerate() {
            assert_eq!(row.0 as usize, index, "{}", row.2);
            assert!(codes.insert(row.2), "{} is there twice", row.2);
        }
    }
}
