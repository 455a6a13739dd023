use clap::Args;

use crate::schedule::Pattern;

#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The job's cron schedule, as "30 0,23 * * *": whether two runs lie close around each deadline [default: RUN_SCHEDULE]
    #[arg(long, value_name = "SCHEDULE", value_parser = cron)]
    pub schedule: Option<String>,
    /// The time zone of that schedule, as Europe/Berlin [default: HR_TIME_ZONE]
    #[arg(long, value_name = "ZONE", requires = "schedule")]
    pub zone: Option<String>,
    /// Create one object, `.probe`, to see that creates are final, deletes refused, and which lock and encryption it gets
    #[arg(long)]
    pub write_probe: bool,
    /// For machines
    #[arg(long)]
    pub json: bool,
}

fn cron(text: &str) -> Result<String, String> {
    Pattern::parse(text).map(|_| text.to_owned())
}
