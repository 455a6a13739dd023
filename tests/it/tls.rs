//! Certificates of a private authority, against a real TLS server: that of openssl.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::has;
use crate::support::job::{Job, LEFT_AND_GONE, ended};

/// Makes two authorities, and a certificate for `localhost` from the first.
const CERTIFICATES: &str = r#"
set -eu
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
for ca in company other; do
  openssl req -x509 $key -keyout $ca.key -out $ca.pem -days 2 -subj /CN=$ca -addext keyUsage=keyCertSign
done
openssl req $key -keyout server.key -out server.csr -subj /CN=localhost
printf 'subjectAltName=DNS:localhost' > server.ext
openssl x509 -req -in server.csr -CA company.pem -CAkey company.key -days 2 -extfile server.ext -out server.pem
mkdir company-ca other-ca
cp company.pem company-ca/ca.crt
cp other.pem other-ca/ca.crt
"#;

/// A server of the files in a folder, each with its HTTP headers. It stops when it is dropped.
struct TlsServer {
    process: Child,
    port: String,
}

impl TlsServer {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new("openssl")
            .args(["s_server", "-HTTP", "-accept", "127.0.0.1:0"])
            .args(["-cert", "server.pem", "-key", "server.key"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl");
        let printed = BufReader::new(process.stdout.take().expect("stdout"));
        let mut lines = printed.lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.strip_prefix("ACCEPT 127.0.0.1:").map(str::to_owned));
        // What the server prints later is not read, and fits into the pipe.
        std::mem::forget(lines);
        let port = port.expect("a port");
        Self { process, port }
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_private_authority_is_trusted_besides_others_for_the_hr_feed() {
    if !has(&["sh", "openssl"]) {
        return;
    }
    let job = Job::scenario("healthy", LEFT_AND_GONE);
    let folder = job.folder.path().to_owned();
    let made = Command::new("sh")
        .args(["-c", CERTIFICATES])
        .current_dir(&folder)
        .output();
    let made = ended(made.expect("sh"));
    assert_eq!(made.code, 0, "{}", made.stderr);
    let feed = fs::read_to_string(folder.join("hr.csv")).expect("the feed");
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{feed}",
        feed.len()
    );
    fs::write(folder.join("leavers.csv"), answer).expect("a file");
    let server = TlsServer::start(&folder);
    let url = format!("https://localhost:{}/leavers.csv", server.port);
    let job = job.env("HR_FEED_URL", &url).env("HR_FEED_MAX_AGE", "off");

    // The chart sets both variables: certificates of the image, and a mounted folder.
    for (file, folder, is_trusted) in [
        ("other.pem", "company-ca", true),
        ("company.pem", "other-ca", true),
        ("other.pem", "other-ca", false),
    ] {
        let mut command = job.command();
        command
            .env("SSL_CERT_FILE", file)
            .env("SSL_CERT_DIR", folder);
        let run = ended(command.output().expect("the binary"));
        let place = format!("{file} and {folder}: {}{}", run.stdout, run.stderr);
        if is_trusted {
            assert_eq!(run.code, 0, "{place}");
        } else {
            assert_eq!(run.code, 75, "{place}");
            assert!(run.stderr.contains("SSL_CERT_FILE"), "{place}");
        }
    }
}
