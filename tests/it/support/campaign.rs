//! Periodic reviews at instants that no variable could set.

use std::fs;

use asana_access_review::campaign::{
    self, CampaignError, CloseAsked, Moment, OpenAsked, Opened, Settings, StatusAsked,
};
use asana_access_review::clock::Clock;
use asana_access_review::evidence::{FrozenRow, Scope, Tool};
use asana_access_review::people::Decision;
use jiff::Timestamp;

use super::job::Job;

/// A program that says its commit: it can make again what it has written.
pub(crate) fn tool() -> Tool {
    Tool {
        name: "asana-access-review".to_owned(),
        version: "0.0.0".to_owned(),
        commit: "c0ffee0".to_owned(),
    }
}

/// What the binary does for `review`, at an instant.
pub(crate) fn at<T>(
    job: &Job,
    as_of: &str,
    act: impl AsyncFnOnce(&Settings, &Moment, &Clock) -> Result<T, CampaignError>,
) -> T {
    tried_at(job, as_of, act).unwrap_or_else(|error| panic!("{}", campaign::failure(&error, false)))
}

/// The same, whatever it comes to.
pub(crate) fn tried_at<T>(
    job: &Job,
    as_of: &str,
    act: impl AsyncFnOnce(&Settings, &Moment, &Clock) -> Result<T, CampaignError>,
) -> Result<T, CampaignError> {
    let as_of: Timestamp = as_of.parse().expect("an instant");
    let moment = Moment {
        as_of,
        suffix: "7f3a9c".to_owned(),
    };
    let settings = job.review_settings(tool());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(act(&settings, &moment, &Clock::at(as_of)))
}

/// Opens a review of the newest complete night; everything is decided by one who owns no account.
pub(crate) fn open(job: &Job, as_of: &str, name: &str) -> Opened {
    let reviewers = job.place().join("reviewers.csv");
    let lines = "rule,value,reviewer,note\ndefault,,boss@example.net,\n";
    fs::write(&reviewers, lines).expect("a file");
    let asked = OpenAsked {
        name: name.to_owned(),
        due: "2027-12-31".parse().expect("a day"),
        scope: Scope::All,
        reviewers: Some(reviewers),
        run: "latest".to_owned(),
    };
    at(job, as_of, async |settings, moment, clock| {
        campaign::open(settings, &asked, moment, clock).await
    })
}

/// Closes a review: what is decided of each row, with a role where it is to be changed.
pub(crate) fn close(
    job: &Job,
    as_of: &str,
    opened: &Opened,
    decide: impl Fn(&FrozenRow) -> Option<(Decision, &'static str)>,
    accept_incomplete: Option<&str>,
) {
    let mut text = "row,account_id,decision,new_role,note,decided_by,review_sha256\n".to_owned();
    for row in &opened.progress.worksheet.rows {
        let Some((decision, new_role)) = decide(row) else {
            continue;
        };
        let note = match decision {
            Decision::Keep => "",
            Decision::Revoke | Decision::ChangeRole | Decision::DontKnow => "as was agreed",
        };
        let (number, account, sha256) = (row.row, &row.account_id, &opened.progress.review_sha256);
        text +=
            &format!("{number},{account},{decision},{new_role},{note},boss@example.net,{sha256}\n");
    }
    let file = job.place().join("decisions.csv");
    fs::write(&file, text).expect("a file");
    let asked = CloseAsked {
        of: StatusAsked {
            review: Some(opened.progress.worksheet.review.clone()),
            decisions: vec![file],
            ..StatusAsked::default()
        },
        accept_incomplete: accept_incomplete.map(str::to_owned),
    };
    at(job, as_of, async |settings, moment, clock| {
        campaign::close(settings, &asked, moment, clock).await
    });
}
