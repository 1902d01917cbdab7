//! A real browser, without a window: Chromium, driven by the DevTools protocol over two pipes.
//!
//! Clicks and keys are the mouse's and keyboard's, not calls of handlers: what nobody could click fails.

use std::cell::{Cell, RefCell};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::wait::{self, DEADLINE};

/// Chromium expects the protocol on descriptors 3 and 4: its standard input and output as we made them.
const ON_PIPES: &str = "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";

const OPTIONS: [&str; 9] = [
    "--headless=new",
    "--remote-debugging-pipe",
    // Tests may run as root, whose browsers have no sandbox; they visit nobody but the daemon under test.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
];

/// How it is put that a page went away while it was asked something; the next one is asked then.
const LEFT: [&str; 2] = ["navigated or closed", "context was destroyed"];

/// A browser. Dropping it closes it.
pub struct Browser {
    child: Child,
    commands: RefCell<Option<ChildStdin>>,
    messages: Receiver<Value>,
    events: RefCell<Vec<Value>>,
    last: Cell<u64>,
    _profile: TempDir,
}

/// What a tab is like.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// The system prefers dark colours.
    pub is_dark: bool,
    /// It is a phone: touched, and laid out by the page's viewport.
    pub is_phone: bool,
    /// Scripts run.
    pub has_scripts: bool,
}

impl Look {
    /// A window on a desk.
    pub const DESKTOP: Self = Self {
        width: 1280,
        height: 800,
        is_dark: false,
        is_phone: false,
        has_scripts: true,
    };

    /// A phone.
    pub const PHONE: Self = Self {
        width: 390,
        height: 844,
        is_phone: true,
        ..Self::DESKTOP
    };
}

/// A tab of a browser.
pub struct Tab<'a> {
    browser: &'a Browser,
    session: String,
}

impl Browser {
    /// Starts one.
    pub fn start() -> Self {
        let profile = TempDir::with_prefix("callboard-browser-").expect("a temporary directory");
        let mut child = Command::new("sh")
            .args(["-c", ON_PIPES, "sh"])
            .args(OPTIONS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .env("HOME", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let commands = child.stdin.take();
        let output = child.stdout.take().expect("it is piped");
        let (sender, messages) = channel();
        thread::spawn(move || {
            for message in BufReader::new(output).split(0) {
                let message = message
                    .ok()
                    .and_then(|text| serde_json::from_slice(&text).ok());
                let Some(message) = message else { break };
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            commands: RefCell::new(commands),
            messages,
            events: RefCell::default(),
            last: Cell::new(0),
            _profile: profile,
        }
    }

    /// Opens an empty tab.
    pub fn tab(&self, look: Look) -> Tab<'_> {
        let target = self.call(None, "Target.createTarget", json!({"url": "about:blank"}));
        let attached = self.call(
            None,
            "Target.attachToTarget",
            json!({"targetId": target["targetId"], "flatten": true}),
        );
        let session = attached["sessionId"]
            .as_str()
            .expect("a session has a name");
        let tab = Tab {
            browser: self,
            session: session.to_owned(),
        };
        for domain in ["Page", "Runtime", "Log"] {
            tab.call(&format!("{domain}.enable"), json!({}));
        }
        tab.set_look(look);
        tab
    }

    fn call(&self, session: Option<&str>, method: &str, params: Value) -> Value {
        let id = self.last.get() + 1;
        self.last.set(id);
        let mut message = json!({"id": id, "method": method, "params": &params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        let mut commands = self.commands.borrow_mut();
        let pipe = commands.as_mut().expect("the browser is open");
        pipe.write_all(&bytes)
            .expect("chromium runs; scripts/prepare installs it");
        drop(commands);
        loop {
            let message = self.messages.recv_timeout(DEADLINE);
            let message = message.unwrap_or_else(|error| {
                panic!("{method}: {error}; is chromium there? scripts/prepare installs it")
            });
            if message["id"] == id {
                let error = message["error"]["message"].as_str().unwrap_or_default();
                if method == "Runtime.evaluate" && LEFT.iter().any(|left| error.contains(left)) {
                    return self.call(session, method, params);
                }
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.borrow_mut().push(message);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without its pipe it ends by itself; what does not is killed.
        self.commands.borrow_mut().take();
        for _ in 0..200 {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            thread::sleep(std::time::Duration::from_millis(15));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tab<'_> {
    /// Calls a method of the protocol for this tab.
    pub fn call(&self, method: &str, params: Value) -> Value {
        self.browser.call(Some(&self.session), method, params)
    }

    /// Makes it look otherwise from now on.
    pub fn set_look(&self, look: Look) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({
                "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": look.is_phone,
            }),
        );
        let scheme = if look.is_dark { "dark" } else { "light" };
        self.call(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
        self.call(
            "Emulation.setScriptExecutionDisabled",
            json!({"value": !look.has_scripts}),
        );
    }

    /// Goes to an address and waits until the page is there.
    pub fn go(&self, url: &str) {
        let answer = self.call("Page.navigate", json!({"url": url}));
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        self.wait(
            "the page to be loaded",
            "document.readyState === 'complete' && location.href !== 'about:blank'",
        );
    }

    /// The value of an expression; promises are awaited.
    pub fn value(&self, expression: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            json!({"expression": expression, "awaitPromise": true, "returnByValue": true}),
        );
        let failure = &answer["exceptionDetails"];
        assert!(failure.is_null(), "{expression}: {failure}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true, and answers its value.
    pub fn wait(&self, what: &str, expression: &str) -> Value {
        wait::until(what, || match self.value(expression) {
            Value::Null | Value::Bool(false) => Err(self.text("body")),
            value => Ok(value),
        })
    }

    /// What can be read in the first element that matches; empty without one.
    pub fn text(&self, selector: &str) -> String {
        let found = self.value(&format!(
            "document.querySelector({})?.innerText ?? ''",
            json!(selector)
        ));
        found.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until what can be read in an element holds a text.
    pub fn wait_text(&self, selector: &str, text: &str) {
        wait::until(&format!("{text:?} in {selector}"), || {
            let seen = self.text(selector);
            if seen.contains(text) {
                Ok(())
            } else {
                Err(seen)
            }
        });
    }

    /// Waits for an element that can be clicked and clicks on its middle.
    pub fn click(&self, selector: &str) {
        let place = self.wait(
            &format!("{selector} to be clickable"),
            &format!(
                "(() => {{
                    const node = document.querySelector({});
                    if (!node || node.disabled) return null;
                    node.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                    const {{ x, y, width, height }} = node.getBoundingClientRect();
                    const place = [x + width / 2, y + height / 2];
                    const hit = document.elementFromPoint(...place);
                    return hit && (node.contains(hit) || hit.contains(node)) ? place : null;
                }})()",
                json!(selector)
            ),
        );
        for kind in ["mousePressed", "mouseReleased"] {
            self.call(
                "Input.dispatchMouseEvent",
                json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1}),
            );
        }
    }

    /// Presses a key: a character, or a name such as `Enter`.
    pub fn press(&self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            _ if key.chars().count() == 1 => key,
            _ => "",
        };
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            _ => 0,
        };
        let down =
            json!({"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", down);
        let up = json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", up);
    }

    /// Types text into what has the focus.
    pub fn type_text(&self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// What is to be seen, as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        let answer = self.call("Page.captureScreenshot", json!({"format": "png"}));
        let data = answer["data"].as_str().expect("a picture");
        base64::engine::general_purpose::STANDARD
            .decode(data)
            .expect("it is base64")
    }

    /// Uncaught exceptions and what the browser's console complains about, refused connections aside.
    pub fn complaints(&self) -> Vec<String> {
        // An answer is in the pipe behind all that happened before it.
        self.value("1");
        let events = self.browser.events.borrow();
        let ours = events
            .iter()
            .filter(|event| event["sessionId"] == self.session);
        let complaint = |event: &Value| match event["method"].as_str()? {
            "Runtime.exceptionThrown" => Some(event["params"]["exceptionDetails"].to_string()),
            "Log.entryAdded" if event["params"]["entry"]["source"] != "network" => {
                Some(event["params"]["entry"].to_string())
            }
            _ => None,
        };
        ours.filter_map(complaint).collect()
    }
}
