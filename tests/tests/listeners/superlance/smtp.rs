//! A mail server that takes everything and notes it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The server, for as long as the test runs.
pub(crate) struct Smtp {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Smtp {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever breaks off has said all it will.
                let _ = converse(&stream, &shared);
            }
        });
        Self { port, heard }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What was said so far, line by line.
    pub(crate) fn heard(&self) -> String {
        self.heard.lock().expect("no panic").join("\n")
    }

    /// What was said so far, which is forgotten; without what two libraries may well do differently: the case of commands, the
    /// order of headers, the name of UTC, the letters of a Message-ID, and how they say that the text is ASCII.
    pub(crate) fn take_heard(&self) -> Vec<String> {
        let heard = std::mem::take(&mut *self.heard.lock().expect("no panic"));
        let mut lines = heard.iter().peekable();
        let mut canonical = Vec::new();
        while let Some(line) = lines.next() {
            let command = line.find(' ').map_or(line.to_uppercase(), |end| {
                line[..end].to_uppercase() + &line[end..]
            });
            let is_data = command == "DATA";
            canonical.push(command);
            if is_data {
                let mut headers: Vec<_> = lines.by_ref().map_while(|line| header(line)).collect();
                headers.sort();
                canonical.append(&mut headers);
                let text = lines.by_ref().take_while(|line| *line != ".");
                canonical.extend(text.map(|line| format!("text: {line}")));
            }
        }
        canonical
    }
}

/// A header, as far as it has to be the same; nothing: the blank line after them.
fn header(line: &str) -> Option<String> {
    let (name, value) = line.split_once(": ")?;
    let value = match name {
        "Date" => value.replace("-0000", "+0000"),
        "Message-ID" => "<...>".to_owned(),
        "Content-Type" => value.split(';').next()?.to_owned(),
        _ => value.to_owned(),
    };
    Some(format!("{name}: {value}"))
}

fn converse(mut stream: &TcpStream, heard: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let reader = BufReader::new(stream);
    let mut in_mail = false;
    stream.write_all(b"220 here ESMTP\r\n")?;
    for line in reader.lines() {
        let line = line?;
        let verb = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_uppercase();
        heard.lock().expect("no panic").push(line.clone());
        let answer = match (in_mail, line.as_str(), verb.as_str()) {
            (true, ".", _) => "250 taken",
            (true, _, _) => continue,
            (_, _, "EHLO") => "250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN",
            (_, _, "STARTTLS") => "454 not today",
            (_, _, "AUTH") => "235 welcome",
            (_, _, "DATA") => "354 go on",
            (_, _, "QUIT") => "221 bye",
            _ => "250 fine",
        };
        in_mail = verb == "DATA" && !in_mail;
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}
