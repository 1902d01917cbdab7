//! The line that announces an event.

use std::fmt;

use super::Fields;

/// The line before an event's payload, without its line feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventHeader<'a> {
    /// Identifier of the supervisor.
    pub server: &'a str,
    /// Number of the event, counted over the supervisor.
    pub serial: u64,
    /// Name of the listener's pool.
    pub pool: &'a str,
    /// Number of the event, counted over the pool.
    pub poolserial: u64,
    /// Type of the event. A name: a newer supervisor may have types of its own.
    pub eventname: &'a str,
    /// Length of the payload in characters, not bytes; see [`super::payload_len`].
    pub len: usize,
}

/// Why a line is no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// A token without which the event cannot be read is not there.
    #[error("event header lacks {0}")]
    Missing(&'static str),
    /// A token that should be a number is none.
    #[error("event header has no number in {0}:{1}")]
    Number(&'static str, String),
}

impl<'a> EventHeader<'a> {
    /// Reads a header line. Tokens may come in any order, and unknown ones are passed over. Only the type and the length
    /// must be there; of the others, missing names are empty and missing serials 0.
    ///
    /// # Errors
    /// When type or length is missing, or a number is none.
    pub fn parse(line: &'a str) -> Result<Self, HeaderError> {
        let mut header = Self {
            server: "",
            serial: 0,
            pool: "",
            poolserial: 0,
            eventname: "",
            len: 0,
        };
        let mut measured = false;
        for (key, value) in Fields::new(line) {
            match key {
                "server" => header.server = value,
                "serial" => header.serial = number("serial", value)?,
                "pool" => header.pool = value,
                "poolserial" => header.poolserial = number("poolserial", value)?,
                "eventname" => header.eventname = value,
                "len" => {
                    header.len = number("len", value)?;
                    measured = true;
                }
                _ => {}
            }
        }
        if header.eventname.is_empty() {
            return Err(HeaderError::Missing("eventname"));
        }
        if !measured {
            return Err(HeaderError::Missing("len"));
        }
        Ok(header)
    }
}

impl fmt::Display for EventHeader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ver:3.0 server:{} serial:{} pool:{} poolserial:{} eventname:{} len:{}",
            self.server, self.serial, self.pool, self.poolserial, self.eventname, self.len
        )
    }
}

fn number<N: std::str::FromStr>(key: &'static str, value: &str) -> Result<N, HeaderError> {
    let number = value.parse();
    number.map_err(|_| HeaderError::Number(key, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: EventHeader<'_> = EventHeader {
        server: "supervisor",
        serial: 21,
        pool: "listener",
        poolserial: 10,
        eventname: "PROCESS_COMMUNICATION_STDOUT",
        len: 54,
    };

    #[test]
    fn the_line_is_exact() {
        assert_eq!(
            HEADER.to_string(),
            "ver:3.0 server:supervisor serial:21 pool:listener poolserial:10 \
             eventname:PROCESS_COMMUNICATION_STDOUT len:54"
        );
    }

    #[test]
    fn tokens_are_found_in_any_order_among_others() {
        let line = "len:54  colour:red:blue eventname:PROCESS_COMMUNICATION_STDOUT alone \
                    poolserial:10 pool:listener serial:21\tserver:supervisor ver:4.0\r";
        assert_eq!(EventHeader::parse(line), Ok(HEADER));
        let short = EventHeader::parse("eventname:TICK_5 len:0");
        assert_eq!(
            short.map(|header| (header.eventname, header.len)),
            Ok(("TICK_5", 0))
        );
    }

    #[test]
    fn values_may_have_colons() {
        let header = EventHeader::parse("server:a:b eventname:TICK_5 len:1");
        assert_eq!(header.map(|header| header.server), Ok("a:b"));
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let rows = [
            ("", "event header lacks eventname"),
            ("len:3", "event header lacks eventname"),
            ("eventname:TICK_5", "event header lacks len"),
            (
                "eventname:TICK_5 len:",
                "event header has no number in len:",
            ),
            (
                "eventname:TICK_5 len:-1",
                "event header has no number in len:-1",
            ),
            (
                "serial:x eventname:TICK_5 len:1",
                "event header has no number in serial:x",
            ),
        ];
        for (line, want) in rows {
            let error = EventHeader::parse(line).expect_err(line);
            assert_eq!(error.to_string(), want);
        }
    }

    proptest! {
        #[test]
        fn written_headers_are_read_back(
            server in "[^\\s]{0,8}",
            pool in "[^\\s]{0,8}",
            serial in any::<u64>(),
            poolserial in any::<u64>(),
            len in any::<usize>(),
        ) {
            let header = EventHeader {
                server: &server, serial, pool: &pool, poolserial, eventname: "TICK_60", len,
            };
            let line = header.to_string();
            prop_assert_eq!(EventHeader::parse(&line), Ok(header));
        }

        #[test]
        fn no_line_panics(line in "\\PC*") {
            let _ = EventHeader::parse(&line);
        }
    }
}
