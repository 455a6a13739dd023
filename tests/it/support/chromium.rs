//! A page in a headless browser, controlled through two pipes, without a driver or a port.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// After this time, the browser is considered stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser on this machine. Continuous integration must have one.
#[expect(
    clippy::disallowed_methods,
    reason = "a test looks for tools on this machine"
)]
#[expect(
    clippy::print_stdout,
    reason = "the output of the test should name what was skipped"
)]
pub(crate) fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|candidate| candidate.is_file());
    assert!(
        found.is_some() || std::env::var_os("CI").is_none(),
        "no browser, and this is continuous integration: install chromium"
    );
    if found.is_none() {
        println!("skipped: no chromium on this machine");
    }
    found
}

/// The script of axe-core. Continuous integration must have it.
#[expect(
    clippy::disallowed_methods,
    reason = "a test looks for tools on this machine"
)]
#[expect(
    clippy::print_stdout,
    reason = "the output of the test should name what was skipped"
)]
pub(crate) fn axe() -> Option<String> {
    let path = "target/tools/axe/node_modules/axe-core/axe.min.js";
    let axe = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok();
    assert!(
        axe.is_some() || std::env::var_os("CI").is_none(),
        "axe-core is missing, and this is continuous integration"
    );
    if axe.is_none() {
        println!("skipped: no axe-core on this machine");
    }
    axe
}

/// A page that is open.
pub(crate) struct Page {
    child: Child,
    commands: File,
    answers: Receiver<Value>,
    number: u64,
    session: String,
    /// Errors of the page: messages, violations of its policy, exceptions.
    pub(crate) complaints: Vec<String>,
    folder: tempfile::TempDir,
}

impl Page {
    /// Starts a browser and opens a file in it.
    pub(crate) fn open(browser: &Path, file: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (to, from) = (folder.path().join("to"), folder.path().join("from"));
        let made = Command::new("mkfifo").args([&to, &from]).status();
        assert!(made.expect("mkfifo").success());
        let child = Command::new("sh")
            .args(["-c", "exec 3<\"$1\" 4>\"$2\"; shift 2; exec \"$@\"", "sh"])
            .args([&to, &from])
            .arg(browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--remote-debugging-pipe",
            ])
            .arg(format!(
                "--user-data-dir={}",
                folder.path().join("profile").display()
            ))
            .arg("--window-size=1400,1000")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser");
        let commands = File::options().write(true).open(&to).expect("a pipe");
        let pipe = File::open(&from).expect("a pipe");
        let (send, answers) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(pipe).split(0) {
                let Ok(message) = message else { return };
                let message = serde_json::from_slice(&message).expect("JSON");
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        let mut page = Self {
            child,
            commands,
            answers,
            number: 0,
            session: String::new(),
            complaints: Vec::new(),
            folder,
        };
        let target = page.ask("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = page.ask("Target.attachToTarget", attach);
        page.session = attached["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        for domain in ["Page", "Runtime", "Log"] {
            page.ask(&format!("{domain}.enable"), json!({}));
        }
        page.go(&format!("file://{}", file.display()));
        page
    }

    /// Opens a file in another tab of the same browser and continues there. Returns the previous
    /// tab.
    pub(crate) fn tab(&mut self, file: &Path) -> String {
        let target = self.ask("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.ask("Target.attachToTarget", attach);
        let session = attached["sessionId"].as_str().expect("a session");
        let left = self.switch(session);
        for domain in ["Page", "Runtime", "Log"] {
            self.ask(&format!("{domain}.enable"), json!({}));
        }
        self.go(&format!("file://{}", file.display()));
        left
    }

    /// Continues in another tab. Returns the previous tab.
    pub(crate) fn switch(&mut self, session: &str) -> String {
        std::mem::replace(&mut self.session, session.to_owned())
    }

    fn take(&mut self, until: Instant) -> Value {
        let left = until.saturating_duration_since(Instant::now());
        let message = self.answers.recv_timeout(left).expect("an answer in time");
        match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => {
                self.complaints
                    .push(message["params"]["exceptionDetails"].to_string());
            }
            Some("Log.entryAdded") if message["params"]["entry"]["level"] == "error" => {
                self.complaints.push(message["params"]["entry"].to_string());
            }
            _ => {}
        }
        message
    }

    /// Sends a command to the browser and returns the result.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": params});
        let is_of_page = !method.starts_with("Target.") && !method.starts_with("Browser.");
        if is_of_page {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).expect("a command");
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.take(until);
            if answer["id"] == self.number {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    fn go(&mut self, url: &str) {
        self.ask("Page.navigate", json!({"url": url}));
        self.wait_until_loaded();
    }

    /// Loads the page again.
    pub(crate) fn reload(&mut self) {
        self.ask("Page.reload", json!({}));
        self.wait_until_loaded();
    }

    fn wait_until_loaded(&mut self) {
        let until = Instant::now() + PATIENCE;
        while self.take(until)["method"] != "Page.loadEventFired" {}
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let ask = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true,
        });
        let got = self.ask("Runtime.evaluate", ask);
        assert!(got["exceptionDetails"].is_null(), "{expression}: {got}");
        got["result"]["value"].clone()
    }

    /// Waits until an expression in the page is true.
    pub(crate) fn until(&mut self, expression: &str) {
        let until = Instant::now() + PATIENCE;
        while self.value(expression) != true {
            assert!(Instant::now() < until, "it never came to be: {expression}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sets the size of the screen.
    pub(crate) fn size(&mut self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.ask("Emulation.setDeviceMetricsOverride", size);
    }

    /// A picture of the screen from the top of one element to the bottom of another, as PNG.
    pub(crate) fn picture(&mut self, from: &str, to: &str) -> Vec<u8> {
        const MARGIN: f64 = 8.0;
        let edge = |page: &mut Self, of: &str, edge: &str| {
            let at = format!("document.querySelector('{of}').getBoundingClientRect().{edge}");
            page.value(&at).as_f64().expect("a place")
        };
        let top = (edge(self, from, "top") - MARGIN).max(0.0);
        let bottom = edge(self, to, "bottom") + MARGIN;
        let width = self.value("document.documentElement.clientWidth");
        // A clip is relative to the whole page, and the position of an element to the visible part.
        let y = top + self.value("scrollY").as_f64().expect("a place");
        let clip = json!({"x": 0, "y": y, "width": width, "height": bottom - top, "scale": 1});
        let ask = json!({"format": "png", "clip": clip, "optimizeForSpeed": false});
        let taken = self.ask("Page.captureScreenshot", ask);
        STANDARD
            .decode(taken["data"].as_str().expect("base64"))
            .expect("base64")
    }

    /// Chooses a file in a file input.
    pub(crate) fn choose_file(&mut self, id: &str, file: &Path) {
        let field = format!("document.getElementById('{id}')");
        let field = self.ask("Runtime.evaluate", json!({"expression": field}));
        let field = &field["result"]["objectId"];
        self.ask(
            "DOM.setFileInputFiles",
            json!({"files": [file], "objectId": field}),
        );
    }

    /// Presses and releases a key: a letter, a digit, or a key by its name.
    pub(crate) fn key(&mut self, key: &str) {
        let mut down = json!({"type": "keyDown", "key": key});
        if key.chars().count() == 1 {
            down["text"] = json!(key);
        }
        if key == "Enter" {
            down["text"] = json!("\r");
        }
        self.ask("Input.dispatchKeyEvent", down);
        self.ask(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key}),
        );
    }

    /// Types a text at the cursor.
    pub(crate) fn text(&mut self, text: &str) {
        self.ask("Input.insertText", json!({"text": text}));
    }

    /// The file that an action in the page downloads.
    pub(crate) fn saved_by(&mut self, expression: &str) -> PathBuf {
        let folder = self.folder.path().join("saved");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("a folder");
        let allow = json!({"behavior": "allow", "downloadPath": folder});
        self.ask("Browser.setDownloadBehavior", allow);
        self.value(expression);
        let until = Instant::now() + PATIENCE;
        loop {
            let files = fs::read_dir(&folder).expect("a folder");
            let files: Vec<PathBuf> = files.map(|file| file.expect("one").path()).collect();
            match &files[..] {
                [file] if file.extension().is_some_and(|it| it == "jsonl") => return file.clone(),
                _ => assert!(Instant::now() < until, "nothing was saved: {files:?}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
