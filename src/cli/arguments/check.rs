use clap::Args;

use crate::schedule::Pattern;

#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Cron schedule of the job, for example "30 0,23 * * *": checks that two runs enclose each deadline closely [default: RUN_SCHEDULE]
    #[arg(long, value_name = "SCHEDULE", value_parser = cron)]
    pub schedule: Option<String>,
    /// Time zone of that schedule, for example Europe/Berlin [default: HR_TIME_ZONE]
    #[arg(long, value_name = "ZONE", requires = "schedule")]
    pub zone: Option<String>,
    /// Create one object, `.probe`, to test create-only writes, refused deletes, lock and encryption
    #[arg(long)]
    pub write_probe: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

fn cron(text: &str) -> Result<String, String> {
    Pattern::parse(text).map(|_| text.to_owned())
}
