//! The simulator as a program: serves Truto's API on loopback, to try a client with it.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use truto_simulator::{
    Action, CONNECTION_ID, Fault, HRIS_CONNECTION_ID, RecordedRequest, Simulator, TOKEN, World,
    scenarios,
};

/// Simulates Truto's API for an Asana connection on loopback, with fictional people.
#[derive(Parser)]
#[command(name = "truto-simulator", about)]
struct Arguments {
    /// Port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Scenario to serve; --list prints all of them
    #[arg(long, default_value = "healthy", value_name = "NAME")]
    scenario: String,

    /// Serve this many generated accounts instead of a scenario
    #[arg(long, value_name = "N", conflicts_with = "scenario")]
    accounts: Option<usize>,

    /// Serve this many connections with the same accounts: connection-1, connection-2, …
    #[arg(long, value_name = "N", default_value_t = 0)]
    connections: usize,

    /// Limit for the requests of all connections together, such as 500/10s
    #[arg(long, value_name = "LIMIT", default_value = "off", value_parser = rate_limit)]
    token_rate_limit: RateLimit,

    /// Limit for data requests, such as 50/10s, or off; default: the scenario's limit, else 50/10s
    #[arg(long, value_name = "LIMIT", value_parser = rate_limit)]
    rate_limit: Option<RateLimit>,

    /// Wait this many milliseconds before each answer
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay: u64,

    /// Print one line for each request
    #[arg(long)]
    record: bool,

    /// Print all scenarios and exit
    #[arg(long)]
    list: bool,
}

/// At most this many requests in any window, or no limit.
#[derive(Clone, Copy)]
struct RateLimit(Option<(u32, Duration)>);

/// Truto's limit for one connection.
const TRUTO_RATE_LIMIT: (u32, Duration) = (50, Duration::from_secs(10));

fn rate_limit(text: &str) -> Result<RateLimit, String> {
    if text == "off" {
        return Ok(RateLimit(None));
    }
    let wrong = || "write it as `50/10s`, or `off`".to_owned();
    let (calls, window) = text.split_once('/').ok_or_else(wrong)?;
    let seconds = window.strip_suffix('s').ok_or_else(wrong)?;
    let calls = calls.parse().map_err(|_| wrong())?;
    let seconds = seconds.parse().map_err(|_| wrong())?;
    Ok(RateLimit(Some((calls, Duration::from_secs(seconds)))))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if arguments.list {
        let mut last = "";
        for (topic, name, about) in scenarios() {
            if topic != last {
                let gap = if last.is_empty() { "" } else { "\n" };
                print(&format!("{gap}{topic}"));
                last = topic;
            }
            print(&format!("  {name:<28}{about}"));
        }
        return Ok(());
    }
    let mut world = match arguments.accounts {
        Some(accounts) => World::generated(accounts),
        None => World::scenario(&arguments.scenario).ok_or_else(|| {
            let name = &arguments.scenario;
            format!("there is no scenario `{name}`: --list prints all of them")
        })?,
    };
    match arguments.rate_limit {
        Some(RateLimit(limit)) => world.rate_limit = limit,
        None => world.rate_limit = world.rate_limit.or(Some(TRUTO_RATE_LIMIT)),
    }

    if arguments.delay > 0 {
        let delay = Action::Delay(Duration::from_millis(arguments.delay));
        world = world.fault(Fault::once("/", delay).for_ever());
    }

    let has_hris = world.hris.is_some();
    let of_each = world.clone();
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let simulator = Simulator::start_on(world, addr)
        .await
        .map_err(|e| format!("cannot listen on {addr}: {e}"))?;
    let connections = 1..=arguments.connections;
    simulator.add(
        connections.map(|number| format!("connection-{number}")),
        of_each,
    );
    simulator.limit_token(arguments.token_rate_limit.0);
    // Before the address is printed, so that no request is missed.
    let watched = arguments.record.then(|| simulator.watch());
    let url = simulator.url();
    print(&format!("The simulator listens on {url}\n"));
    print(&format!("export TRUTO_BASE_URL={url}"));
    print(&format!("export TRUTO_API_TOKEN={TOKEN}"));
    print(&format!(
        "export TRUTO_INTEGRATED_ACCOUNT_ID={CONNECTION_ID}"
    ));
    if has_hris {
        print(&format!(
            "export HR_FEED_URL=truto-hris://{HRIS_CONNECTION_ID}"
        ));
    }
    print("");
    if let Some(requests) = watched {
        // Ends together with the simulator, which has the other end of the channel.
        std::thread::spawn(move || {
            for request in requests {
                print(&line(&request));
            }
        });
    }
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// A request as one line: status, method, path, query, body, and whether the token was wrong.
fn line(request: &RecordedRequest) -> String {
    let status = request
        .status
        .map_or_else(|| "---".to_owned(), |status| status.to_string());
    let mut line = format!("{status} {} {}", request.method, request.path);
    for (place, (name, value)) in request.query.iter().enumerate() {
        line.push(if place == 0 { '?' } else { '&' });
        line.push_str(&format!("{name}={value}"));
    }
    if !request.body.is_empty() {
        line.push(' ');
        line.push_str(&request.body);
    }
    // People open links, without a token.
    if !request.authorized && request.path != "/connect-account" {
        line.push_str(" (wrong token)");
    }
    line
}

#[expect(clippy::print_stdout, reason = "a program for use at a terminal")]
fn print(line: &str) {
    println!("{line}");
}
