//! The settings and problems of an environment.

use std::io;
use std::path::Path;

use secrecy::ExposeSecret as _;

use super::*;
use crate::feed::{self, DateOrder};
use crate::model::Meaning;
use crate::notify::NotifyOn;
use crate::{files, signing};

/// The smallest environment that works.
const ENOUGH: &[(&str, &str)] = &[
    ("TRUTO_API_TOKEN", "s3cret-token"),
    ("TRUTO_INTEGRATED_ACCOUNT_ID", "5f0c3a52"),
    ("HR_FEED_URL", "hr.csv"),
];

/// A private key for tests.
const SIGNING_KEY: &str = include_str!("../../tests/keys/ed25519.test-key.pem");

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

fn no_files(_: &Path) -> io::Result<String> {
    Err(io::ErrorKind::NotFound.into())
}

/// The settings of `ENOUGH` with further or other values.
fn with(more: &[(&str, &str)]) -> Result<Judged<Settings>, Problems> {
    let mut variables: Vec<(&str, &str)> = ENOUGH.to_vec();
    variables.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    variables.extend(more);
    load(environment(&variables), no_files)
}

fn reported(more: &[(&str, &str)]) -> String {
    with(more).expect_err("a problem").to_string()
}

#[test]
fn three_variables_are_enough() {
    let judged = with(&[]).expect("settings");
    assert!(judged.warnings.is_empty());
    let run = judged.settings;
    assert_eq!(run.source.truto.page_size, 100);
    assert_eq!(run.policy.offboarding_grace_seconds, 24 * 3600);
    assert_eq!(run.policy.hr_feed_max_age_seconds, Some(48 * 3600));
    assert_eq!(run.deadline, Duration::from_secs(50 * 60));
    assert!(matches!(run.store, store::Settings::Folder(path) if path == Path::new("./evidence")));
}

#[test]
fn all_problems_are_reported_at_once_by_variable_name() {
    let problems = load(
        environment(&[
            ("HTTP_TIMEOUT", "30"),
            ("HR_FEED_DATE_ORDER", "ymd"),
            ("HR_TIME_ZONE", "Mars/Base"),
        ]),
        no_files,
    );
    insta::assert_snapshot!(problems.expect_err("problems"), @r"
    the configuration has 6 problems
      HTTP_TIMEOUT=`30` has no unit
      TRUTO_API_TOKEN is not set
      TRUTO_INTEGRATED_ACCOUNT_ID is not set
      HR_FEED_DATE_ORDER=`ymd` is not one of `dmy`, `mdy`
      HR_TIME_ZONE=`Mars/Base` is not a time zone
      HR_FEED_URL is not set
    hint: write `30s`; write `Europe/Berlin`; docs/configuration.md describes all variables
    ");
}

#[test]
fn an_empty_value_is_unset() {
    assert!(with(&[("HR_FEED_DATE_ORDER", ""), ("TRUTO_PAGE_SIZE", "  ")]).is_ok());
    assert!(reported(&[("TRUTO_API_TOKEN", "")]).contains("TRUTO_API_TOKEN is not set"));
}

#[test]
fn a_lock_needs_an_end_and_a_bucket() {
    let bucket = ("EVIDENCE_URL", "s3://evidence/asana");
    let reported = reported(&[
        bucket,
        ("EVIDENCE_OBJECT_LOCK_MODE", "forever"),
        ("EVIDENCE_BUCKET_OWNER", "12345678901x"),
    ]);
    insta::assert_snapshot!(reported, @r"
    the configuration has 3 problems
      EVIDENCE_BUCKET_OWNER=`12345678901x` is not an AWS account id
      EVIDENCE_OBJECT_LOCK_MODE needs EVIDENCE_RETENTION_DAYS
      EVIDENCE_OBJECT_LOCK_MODE=`forever` is not one of `governance`, `compliance`
    hint: write its 12 digits; a lock needs an end: set EVIDENCE_RETENTION_DAYS to the number of days to keep evidence; docs/configuration.md describes all variables
    ");
    let folder = super::tests::reported(&[
        ("EVIDENCE_OBJECT_LOCK_MODE", "compliance"),
        ("EVIDENCE_RETENTION_DAYS", "400"),
        ("EVIDENCE_BUCKET_OWNER", "123456789012"),
        ("EVIDENCE_KMS_KEY_ID", "alias/evidence"),
    ]);
    insta::assert_snapshot!(folder, @r"
    the configuration has 3 problems
      EVIDENCE_OBJECT_LOCK_MODE is set, but EVIDENCE_URL is not a bucket
      EVIDENCE_KMS_KEY_ID is set, but EVIDENCE_URL is not a bucket
      EVIDENCE_BUCKET_OWNER is set, but EVIDENCE_URL is not a bucket
    hint: unset it, or set EVIDENCE_URL to `s3://bucket/prefix`; docs/configuration.md describes all variables
    ");
}

#[test]
fn a_word_outside_the_choices_is_refused() {
    let reported = reported(&[("NOTIFY_ON", "mondays")]);
    assert!(
        reported.contains("NOTIFY_ON=`mondays` is not one of"),
        "{reported}"
    );
}

#[test]
fn a_secret_is_never_shown() {
    let token = "t\u{e9}ken-with-an-accent";
    let reported = reported(&[("TRUTO_API_TOKEN", token), ("HTTP_TIMEOUT", "x")]);
    assert!(
        reported.contains("TRUTO_API_TOKEN contains characters that an HTTP header cannot carry"),
        "{reported}"
    );
    assert!(!reported.contains(token), "{reported}");
    let settings = with(&[]).expect("settings");
    assert!(!format!("{settings:?}").contains("s3cret-token"));
}

#[test]
fn parts_of_an_address_that_may_be_secret_are_never_shown() {
    for url in [
        "ftp://user:hunter2@hr.test/x",
        "ftp://hr.test/x?sig=hunter2",
        "https://user:hunter2@hr.test/",
    ] {
        let reported = reported(&[("HR_FEED_URL", url)]);
        assert!(
            reported.contains("HR_FEED_URL=`") && !reported.contains("hunter2"),
            "{reported}"
        );
    }
}

#[test]
fn a_secret_may_come_from_a_file_but_not_from_both() {
    let file = |path: &Path| match path.to_str() {
        Some("/run/token") => Ok("from-a-file\n".to_owned()),
        Some("/run/empty") => Ok("\n".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let base = [
        ("TRUTO_INTEGRATED_ACCOUNT_ID", "5f0c"),
        ("HR_FEED_URL", "hr.csv"),
    ];
    let judge = |more: &[(&str, &str)]| load(environment(&[&base, more].concat()), file);

    let settings = judge(&[("TRUTO_API_TOKEN_FILE", "/run/token")])
        .expect("settings")
        .settings;
    let token =
        secrecy::ExposeSecret::expose_secret(&settings.source.truto.api.api_token).to_owned();
    assert_eq!(token, "from-a-file");

    let both = judge(&[
        ("TRUTO_API_TOKEN_FILE", "/run/token"),
        ("TRUTO_API_TOKEN", "x"),
    ]);
    insta::assert_snapshot!(both.expect_err("a problem"), @r"
    the configuration has 1 problem
      TRUTO_API_TOKEN and TRUTO_API_TOKEN_FILE are both set
    hint: keep one of the two; docs/configuration.md describes all variables
    ");
    let empty = judge(&[("TRUTO_API_TOKEN_FILE", "/run/empty")])
        .expect_err("a problem")
        .to_string();
    assert!(
        empty.contains("has 1 problem") && empty.contains("`/run/empty` is empty"),
        "{empty}"
    );
    let gone = judge(&[("TRUTO_API_TOKEN_FILE", "/run/gone")])
        .expect_err("a problem")
        .to_string();
    assert!(
        gone.contains("has 1 problem") && gone.contains("cannot be read"),
        "{gone}"
    );
}

#[test]
fn a_signing_key_is_read_from_its_text_or_its_file() {
    let of = |judged: Result<Judged<Settings>, Problems>| match judged
        .expect("settings")
        .settings
        .signing
    {
        signing::Settings::Private(key) => Some(key.public().sha256().to_owned()),
        signing::Settings::Unsigned | signing::Settings::Kms(_) => None,
    };
    let text = of(with(&[("EVIDENCE_SIGNING_KEY", SIGNING_KEY)]));
    assert!(text.is_some());
    assert_eq!(of(with(&[])), None);
    let from_file = |name: &str, content: &'static str| {
        let variables = [ENOUGH, &[("EVIDENCE_SIGNING_KEY_FILE", name)]].concat();
        load(environment(&variables), |path| match path.to_str() {
            Some("/run/key") => Ok(content.to_owned()),
            _ => Err(io::ErrorKind::NotFound.into()),
        })
    };
    assert_eq!(of(from_file("/run/key", SIGNING_KEY)), text);

    // One problem for one cause, without the text that was read.
    let cut = &SIGNING_KEY[..60];
    for (judged, complaint) in [
        (from_file("/run/gone", ""), "cannot be read"),
        (from_file("/run/key", "\n"), "is empty"),
        (
            from_file("/run/key", cut),
            "does not contain exactly one complete PEM key",
        ),
    ] {
        let reported = judged.expect_err("a problem").to_string();
        assert!(reported.contains("has 1 problem"), "{reported}");
        assert!(reported.contains(complaint), "{reported}");
        assert!(!reported.contains(&cut[28..50]), "{reported}");
    }
}

/// A key of 32 bytes.
const KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn notifications_need_a_receiver() {
    let notify = with(&[]).expect("settings").settings.notify;
    assert_eq!(notify.on, NotifyOn::Change);
    assert!(notify.webhook.is_none() && notify.slack.is_none());
    // The default may be set explicitly, as the chart does.
    assert!(with(&[("NOTIFY_ON", "change")]).is_ok());

    let judged = with(&[
        ("NOTIFY_ON", "problem"),
        ("NOTIFY_WEBHOOK_URL", "https://in.test/hunter2?key=hunter2"),
        ("NOTIFY_WEBHOOK_SECRET", KEY),
        (
            "NOTIFY_SLACK_WEBHOOK_URL",
            "https://hooks.slack.com/services/hunter2",
        ),
    ]);
    let notify = judged.expect("settings").settings.notify;
    assert_eq!(notify.on, NotifyOn::Problem);
    let shown = format!("{notify:?}");
    assert!(
        shown.contains("https://in.test/…") && shown.contains("https://hooks.slack.com/…"),
        "{shown}"
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn invalid_notification_settings_are_reported_without_secrets() {
    let problems = with(&[
        ("NOTIFY_ON", "sometimes"),
        ("NOTIFY_WEBHOOK_URL", "hunter2://in.test"),
        ("NOTIFY_WEBHOOK_SECRET", "hunter2"),
        (
            "NOTIFY_SLACK_WEBHOOK_URL",
            "http://hooks.slack.test/hunter2",
        ),
    ]);
    let reported = problems.expect_err("problems").to_string();
    assert!(!reported.contains("hunter2"), "{reported}");
    insta::assert_snapshot!(reported, @r#"
    the configuration has 4 problems
      NOTIFY_ON=`sometimes` is not one of `always`, `change`, `problem`
      NOTIFY_SLACK_WEBHOOK_URL is plain http, which is allowed only for loopback
      NOTIFY_WEBHOOK_URL does not begin with `https://`
      NOTIFY_WEBHOOK_SECRET has a key that does not start with `whsec_`
    hint: use https; write the whole address; make a key with `echo "whsec_$(openssl rand -base64 32)"`, and give the receiver the same key; docs/configuration.md describes all variables
    "#);

    let unsigned = with(&[("NOTIFY_WEBHOOK_URL", "https://in.test/hook")]);
    insta::assert_snapshot!(unsigned.expect_err("a problem"), @r#"
    the configuration has 1 problem
      NOTIFY_WEBHOOK_URL is set, but NOTIFY_WEBHOOK_SECRET is not
    hint: make a key with `echo "whsec_$(openssl rand -base64 32)"`, and give the receiver the same key; docs/configuration.md describes all variables
    "#);
    let without = with(&[("NOTIFY_WEBHOOK_SECRET", KEY), ("NOTIFY_ON", "always")]);
    insta::assert_snapshot!(without.expect_err("problems"), @r"
    the configuration has 2 problems
      NOTIFY_WEBHOOK_SECRET is set, but NOTIFY_WEBHOOK_URL is not
      NOTIFY_ON=`always` is set, but no receiver is set
    hint: set NOTIFY_WEBHOOK_URL or NOTIFY_SLACK_WEBHOOK_URL, or unset NOTIFY_ON; docs/configuration.md describes all variables
    ");
}

#[test]
fn an_unreadable_address_or_key_is_one_problem() {
    for name in [
        "NOTIFY_WEBHOOK_URL",
        "NOTIFY_WEBHOOK_SECRET",
        "NOTIFY_SLACK_WEBHOOK_URL",
    ] {
        let file = format!("{name}_FILE");
        let mut variables = vec![(file.as_str(), "/run/gone")];
        match name {
            "NOTIFY_WEBHOOK_URL" => variables.push(("NOTIFY_WEBHOOK_SECRET", KEY)),
            "NOTIFY_WEBHOOK_SECRET" => variables.push(("NOTIFY_WEBHOOK_URL", "https://in.test")),
            _ => variables.push(("NOTIFY_ON", "always")),
        }
        let reported = reported(&variables);
        assert!(reported.contains("has 1 problem"), "{reported}");
        assert!(
            reported.contains(&format!("{name}_FILE=`/run/gone`")),
            "{reported}"
        );
    }
}

#[test]
fn a_kms_key_has_an_id_an_alias_or_an_arn() {
    let of = |id: &str| with(&[("EVIDENCE_SIGNING_KMS_KEY_ID", id)]);
    for id in [
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "mrk-1234abcd12ab34cd56ef1234567890ab",
        "alias/access-review/signing_2026",
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/signing",
    ] {
        match of(id).expect(id).settings.signing {
            signing::Settings::Kms(key) => assert_eq!(key, id),
            other => panic!("{id}: {other:?}"),
        }
    }
    assert!(of("  ").is_ok());

    let pem = SIGNING_KEY.replace('\n', " ");
    for id in [
        "alias/",
        "alias/a b",
        "signing/x",
        "key/1234abcd",
        "arn:aws:s3:::evidence",
        "arn:aws:kms:eu-central-1:111122223333:1234abcd",
        "arn:aws:kms::111122223333:key/1234abcd",
        "https://kms.eu-central-1.amazonaws.com/x",
        &pem,
        &"a".repeat(2049),
    ] {
        let reported = of(id).map(|_| ()).expect_err(id).to_string();
        insta::allow_duplicates! {
            insta::assert_snapshot!(reported, @r"
            the configuration has 1 problem
              EVIDENCE_SIGNING_KMS_KEY_ID does not name a KMS key
            hint: write the key's id, `alias/NAME`, or its ARN; docs/configuration.md describes all variables
            ");
        }
    }
}

#[test]
fn a_private_key_and_a_kms_key_exclude_each_other() {
    let kms = ("EVIDENCE_SIGNING_KMS_KEY_ID", "alias/signing");
    let reported = reported(&[("EVIDENCE_SIGNING_KEY", SIGNING_KEY), kms]);
    insta::assert_snapshot!(reported, @r"
    the configuration has 1 problem
      EVIDENCE_SIGNING_KEY and EVIDENCE_SIGNING_KMS_KEY_ID are both set
    hint: keep one of the two; docs/configuration.md describes all variables
    ");
    let from_file = [ENOUGH, &[("EVIDENCE_SIGNING_KEY_FILE", "/run/key"), kms]].concat();
    let judged = load(environment(&from_file), |_| Ok(SIGNING_KEY.to_owned()));
    let reported = judged.expect_err("a problem").to_string();
    assert!(
        reported.contains("has 1 problem") && reported.contains("are both set"),
        "{reported}"
    );

    // Other problems are reported, too, without the secret.
    let wrong = ("EVIDENCE_SIGNING_KMS_KEY_ID", "hunter 3");
    let reported = self::reported(&[("EVIDENCE_SIGNING_KEY", "hunter2"), wrong]);
    assert!(reported.contains("has 3 problems"), "{reported}");
    assert!(
        reported.contains("EVIDENCE_SIGNING_KEY does not contain a PEM key"),
        "{reported}"
    );
    assert!(!reported.contains("hunter"), "{reported}");
}

#[test]
fn an_unknown_variable_of_our_families_or_near_a_known_name_is_a_warning() {
    let judged = with(&[
        ("TRUTO_TOKEN", "x"),
        ("HR_FEED", "y"),
        ("EVIDENCE_BUCKET", "z"),
        ("NOTIFY_SLACK_URL", "hunter2"),
        ("OFFBOARDING_GRACES", "24h"),
        ("EXCEPTION_URL", "exceptions.csv"),
        ("REVIEW_EVRY", "90d"),
        ("FAIL_NO", "never"),
        ("NOTIFY_SOCKET", "/run/systemd/notify"),
        ("POD_IP", "10.0.0.1"),
        ("PATH", "/bin"),
    ]);
    insta::assert_snapshot!(judged.expect("settings").warnings.join("\n"), @r"
    EVIDENCE_BUCKET is set, but no variable has this name
    EXCEPTION_URL is set, but no variable has this name: did you mean EXCEPTIONS_URL?
    FAIL_NO is set, but no variable has this name: did you mean FAIL_ON?
    HR_FEED is set, but no variable has this name
    NOTIFY_SLACK_URL is set, but no variable has this name
    OFFBOARDING_GRACES is set, but no variable has this name: did you mean OFFBOARDING_GRACE?
    REVIEW_EVRY is set, but no variable has this name: did you mean REVIEW_EVERY?
    TRUTO_TOKEN is set, but no variable has this name
    ");
}

#[test]
fn a_misspelt_name_is_reported_with_the_problem_that_it_causes() {
    let reported = reported(&[("HR_FEED_URL", ""), ("HR_FEED_ULR", "hr.csv")]);
    assert!(reported.contains("HR_FEED_URL is not set"), "{reported}");
    assert!(reported.contains("did you mean HR_FEED_URL?"), "{reported}");
}

#[test]
fn a_public_mail_provider_is_no_domain_of_the_organization() {
    for domain in ["gmail.com", "GMail.com"] {
        let narrow = [
            ("ASANA_PERMISSIONS", "narrow"),
            ("INTERNAL_DOMAINS", domain),
        ];
        let reported = reported(&narrow);
        let wrong = "contains `gmail.com`, a public mail provider";
        let hint = "hint: name only domains that the organization owns; ASANA_PERMISSIONS=narrow needs one, so without \
                    one connect with full permissions; ";
        assert!(reported.contains(wrong), "{reported}");
        assert!(reported.contains(hint), "{reported}");
    }
}

#[test]
fn a_bare_number_gets_the_unit_of_the_default() {
    for (name, hint) in [
        ("OFFBOARDING_GRACE", "write `24h`"),
        ("HTTP_TIMEOUT", "write `24s`"),
        ("REVIEW_EVERY", "write `24d`"),
        ("TRUTO_RATE_LIMIT", "write `24/10s`"),
    ] {
        let reported = reported(&[(name, "24")]);
        assert!(reported.contains(hint), "{reported}");
    }
}

#[test]
fn a_token_in_an_address_is_not_shown() {
    let address = "https://hunter2@api.truto.one/hunter2?x=hunter2";
    let reported = reported(&[("TRUTO_BASE_URL", address)]);
    assert!(reported.contains("`https://api.truto.one/…`"), "{reported}");
    assert!(!reported.contains("hunter"), "{reported}");
}

#[test]
fn an_authorization_without_an_https_feed_is_refused() {
    let reported = reported(&[("HR_FEED_AUTHORIZATION", "Bearer x")]);
    assert!(
        reported.contains("HR_FEED_URL is not an https:// address"),
        "{reported}"
    );
    assert!(
        with(&[
            ("HR_FEED_AUTHORIZATION", "Bearer x"),
            ("HR_FEED_URL", "https://hr.test/x")
        ])
        .is_ok()
    );
}

#[test]
fn evidence_goes_to_a_folder_or_a_bucket_only() {
    let s3 = with(&[("EVIDENCE_URL", "s3://bucket/some/prefix/")]).expect("settings");
    assert!(matches!(
        s3.settings.store,
        store::Settings::S3 { bucket, prefix, .. } if bucket == "bucket" && prefix == "some/prefix"
    ));
    for url in ["https://x.test", "gs://b/p", "s3://", "truto-hris://x"] {
        assert!(with(&[("EVIDENCE_URL", url)]).is_err(), "{url}");
    }
}

#[test]
fn the_hr_system_has_its_own_connection_and_the_same_token() {
    let judged = with(&[
        ("HR_FEED_URL", "truto-hris://9b2e-11"),
        ("HR_FEED_DATE_ORDER", "mdy"),
        ("HR_FEED_FORMAT", "auto"),
        ("HR_FEED_ALLOW_EMPTY", "true"),
        ("TRUTO_PAGE_SIZE", "50"),
    ]);
    let run = judged.expect("settings").settings;
    let feed::Source::Hris(hris) = &run.feed else {
        panic!("no HR system: {:?}", run.feed);
    };
    assert_eq!(hris.truto.integrated_account_id, "9b2e-11");
    assert_eq!(hris.truto.api.api_token.expose_secret(), "s3cret-token");
    assert_eq!(hris.truto.page_size, 50);
    assert_eq!(hris.dates.order, Some(DateOrder::MonthFirst));
    assert!(hris.may_lack_leavers);
    assert_eq!(run.source.truto.integrated_account_id, "5f0c3a52");
}

#[test]
fn settings_for_files_are_refused_with_an_hr_system() {
    let reported = reported(&[
        ("HR_FEED_URL", "truto-hris://5f0c3a52"),
        ("TRUTO_PAGE_SIZE", "0"),
    ]);
    assert!(
        reported.contains("is the connection in TRUTO_INTEGRATED_ACCOUNT_ID"),
        "{reported}"
    );
    let problems = with(&[
        ("HR_FEED_URL", "truto-hris://9b2e"),
        ("HR_FEED_AUTHORIZATION", "Bearer x"),
        ("HR_FEED_FORMAT", "json"),
        ("HR_FEED_COLUMNS", "email=Mail"),
    ]);
    insta::assert_snapshot!(problems.expect_err("problems"), @r"
    the configuration has 3 problems
      HR_FEED_AUTHORIZATION is set, but HR_FEED_URL is not an https:// address
      HR_FEED_FORMAT is set, but HR_FEED_URL is not a file
      HR_FEED_COLUMNS is set, but HR_FEED_URL is not a file
    hint: unset HR_FEED_FORMAT: Truto names the fields; unset HR_FEED_COLUMNS: Truto names the fields; docs/configuration.md describes all variables
    ");
    let problems = with(&[
        ("HR_FEED_URL", "truto-hris://9b2e"),
        ("HR_FEED_FORMAT", "json"),
        ("HR_FEED_ALLOW_EMPTY", "perhaps"),
        ("HR_FEED_SCOPE", "all"),
        ("HR_TIME_ZONE", "Mars/Base"),
    ]);
    insta::assert_snapshot!(problems.expect_err("problems"), @r"
    the configuration has 4 problems
      HR_TIME_ZONE=`Mars/Base` is not a time zone
      HR_FEED_SCOPE=`all` is not one of `leavers`, `recent-leavers`, `roster`
      HR_FEED_ALLOW_EMPTY=`perhaps` is not one of `true`, `false`
      HR_FEED_FORMAT is set, but HR_FEED_URL is not a file
    hint: write `Europe/Berlin`; unset HR_FEED_FORMAT: Truto names the fields; docs/configuration.md describes all variables
    ");
    let problems = with(&[("HR_FEED_URL", "truto-hris://a/b")]);
    insta::assert_snapshot!(problems.expect_err("problems"), @r"
    the configuration has 1 problem
      HR_FEED_URL=`truto-hris://a/…` does not name a Truto connection
    hint: write `truto-hris://INTEGRATED_ACCOUNT_ID`; docs/configuration.md describes all variables
    ");
}

#[test]
fn columns_are_set_by_meaning() {
    let judged = with(&[(
        "HR_FEED_COLUMNS",
        "person_id=Emp No, email=Work Email,end=Left",
    )])
    .expect("settings");
    let feed::Source::File(file) = &judged.settings.feed else {
        panic!("no file: {:?}", judged.settings.feed);
    };
    assert_eq!(file.columns[&Meaning::PersonId], "Emp No");
    assert_eq!(judged.settings.policy.hr_feed_columns["end"], "Left");
    assert!(judged.settings.policy.hr_feed_records.is_empty());
    for columns in ["id=x", "email", "email=a,email=b", "email="] {
        assert!(with(&[("HR_FEED_COLUMNS", columns)]).is_err(), "{columns}");
    }
}

#[test]
fn zones_are_set_by_place_and_places_may_contain_commas() {
    let zones = |text: &str| {
        let judged = with(&[("HR_LOCATION_ZONES", text)]).map_err(|error| error.to_string())?;
        let run = judged.settings;
        let feed::Source::File(file) = run.feed else {
            panic!("no file");
        };
        assert_eq!(run.policy.hr_location_zones, file.dates.location_zones);
        Ok::<_, String>(file.dates.location_zones)
    };
    let two = zones("Berlin=Europe/Berlin, Oslo = Europe/Oslo").expect("zones");
    assert_eq!(two["oslo"], "Europe/Oslo");
    let comma = zones("San  Francisco, CA=America/Los_Angeles;").expect("zones");
    assert_eq!(comma["san francisco, ca"], "America/Los_Angeles");
    for (text, complaint) in [
        ("Berlin", "contains `Berlin`, which is not `place=zone`"),
        (
            "Berlin=Mars/Base",
            "contains `Mars/Base`, which is not a time zone",
        ),
        (
            "Berlin=Europe/Berlin,BERLIN=Europe/Oslo",
            "contains the place `BERLIN` twice",
        ),
    ] {
        let reported = zones(text).expect_err(text);
        assert!(reported.contains(complaint), "{reported}");
    }
}

#[test]
fn manual_files_have_the_same_locations_as_the_feed() {
    for name in ["ALIASES_URL", "EXCEPTIONS_URL"] {
        for url in [
            "rules.csv",
            "file:///srv/rules.csv",
            "https://x.test/r.csv",
            "s3://b/r.csv",
        ] {
            assert!(with(&[(name, url)]).is_ok(), "{name}={url}");
        }
        for url in [
            "s3://b",
            "http://x.test/r.csv",
            "truto-hris://x",
            "ftp://x/y",
        ] {
            assert!(reported(&[(name, url)]).contains(name), "{name}={url}");
        }
    }
}

#[test]
fn equivalent_domains_are_set_in_pairs() {
    let pairs = |text: &str| with(&[("EMAIL_DOMAIN_ALIASES", text)]);
    let judged = pairs("Corp.io=corp.com, corp.com=b\u{fc}cher.example").expect("pairs");
    let reported = judged.settings.policy.email_domain_aliases;
    assert_eq!(
        reported,
        ["corp.com=xn--bcher-kva.example", "corp.io=corp.com"]
    );
    for text in [
        "corp.com",
        "corp.com=",
        "corp.com=gmail.com",
        "corp.com=CORP.com",
    ] {
        assert!(pairs(text).is_err(), "{text}");
    }
}

#[test]
fn a_schedule_and_its_zone_must_be_valid() {
    let schedule = |more: &[(&str, &str)]| {
        let judged = with(more).expect("settings");
        let schedule = judged.settings.schedule;
        schedule.map(|schedule| schedule.to_string())
    };
    assert_eq!(schedule(&[]), None);
    let twice = ("RUN_SCHEDULE", "30 0,23 * * *");
    assert_eq!(
        schedule(&[twice]).as_deref(),
        Some("30 0,23 * * * (Etc/UTC)")
    );
    let of_hr = [twice, ("HR_TIME_ZONE", "Europe/Berlin")];
    assert_eq!(
        schedule(&of_hr).as_deref(),
        Some("30 0,23 * * * (Europe/Berlin)")
    );
    let own = [twice, of_hr[1], ("RUN_SCHEDULE_ZONE", "Asia/Tokyo")];
    assert_eq!(
        schedule(&own).as_deref(),
        Some("30 0,23 * * * (Asia/Tokyo)")
    );

    let wrong = reported(&[("RUN_SCHEDULE", "23:40")]);
    assert!(
        wrong.contains("RUN_SCHEDULE=`23:40` is not a cron schedule")
            && wrong.contains("write five fields"),
        "{wrong}"
    );
    let wrong = reported(&[twice, ("RUN_SCHEDULE_ZONE", "Berlin")]);
    assert!(
        wrong.contains("RUN_SCHEDULE_ZONE=`Berlin` is not a time zone"),
        "{wrong}"
    );
    let wrong = reported(&[("RUN_SCHEDULE_ZONE", "Europe/Berlin")]);
    assert!(
        wrong.contains("RUN_SCHEDULE_ZONE is set, but RUN_SCHEDULE is not"),
        "{wrong}"
    );
}

#[test]
fn metrics_go_to_a_prom_file_and_to_any_pushgateway() {
    for (name, value, problem) in [
        (
            "METRICS_FILE",
            "/textfile/asana.txt",
            "does not end with `.prom`",
        ),
        ("METRICS_FILE", "/textfile", "does not end with `.prom`"),
        (
            "METRICS_FILE",
            "s3://metrics/asana.prom",
            "is not the path of a file",
        ),
        (
            "METRICS_PUSHGATEWAY_URL",
            "pushgateway:9091",
            "has the scheme `pushgateway`",
        ),
        (
            "METRICS_PUSHGATEWAY_URL",
            "http://u:secret@gateway",
            "contains credentials",
        ),
        (
            "METRICS_PUSHGATEWAY_URL",
            "http://gateway/?job=x",
            "has a query",
        ),
    ] {
        let wrong = reported(&[(name, value)]);
        assert!(
            wrong.contains(problem) && !wrong.contains("secret@"),
            "{wrong}"
        );
    }
    let plain = (
        "METRICS_PUSHGATEWAY_URL",
        "http://pushgateway.monitoring:9091",
    );
    let metrics = with(&[plain]).expect("settings").settings.metrics;
    assert!(metrics.pushgateway.is_some() && metrics.file.is_none());
    // Shards on one machine must not replace each other's file.
    let file = |more: &[(&str, &str)]| {
        let list = [
            ("CONNECTIONS_URL", "connections.jsonl"),
            ("METRICS_FILE", "/textfile/asana.prom"),
        ];
        let fleet = load_fleet(environment(&[&list[..], more].concat()), no_files);
        let file = fleet.expect("settings").settings.metrics.file;
        file.expect("a file").display().to_string()
    };
    assert_eq!(file(&[]), "/textfile/asana.prom");
    let shard = [("SHARD_COUNT", "16"), ("JOB_COMPLETION_INDEX", "7")];
    assert_eq!(file(&shard), "/textfile/asana-7.prom");
}

#[test]
fn logging_uses_the_default_until_a_wrong_value_is_reported() {
    let wrong = environment(&[("LOG_FORMAT", "yaml")]);
    assert_eq!(logging(&wrong, true).0, LogFormat::Text);
    assert_eq!(logging(&wrong, false), (LogFormat::Json, "info".to_owned()));
    assert!(
        reported(&[("LOG_FORMAT", "yaml")])
            .contains("LOG_FORMAT=`yaml` is not one of `json`, `text`")
    );
}

/// A value other than the default for every variable of several connections.
const OTHER_VALUES_OF_SEVERAL: &[(&str, &str)] = &[
    ("TRUTO_TOKEN_RATE_LIMIT", "off"),
    ("CONNECTIONS_URL", "other.jsonl"),
    ("CONNECTIONS_CONCURRENCY", "8"),
    ("SHARD_COUNT", "3"),
    ("JOB_COMPLETION_INDEX", "1"),
    ("JOB_RETRY", "1"),
    ("SHARD_DEADLINE", "2h"),
];

/// A value other than the default for every other variable of a run.
const OTHER_VALUES: &[(&str, &str)] = &[
    ("TRUTO_API_TOKEN", "another-token"),
    ("TRUTO_INTEGRATED_ACCOUNT_ID", "another"),
    ("TRUTO_BASE_URL", "https://truto.example"),
    ("TRUTO_PAGE_SIZE", "50"),
    ("TRUTO_RATE_LIMIT", "off"),
    ("ASANA_WORKSPACE_ID", "1331"),
    ("ASANA_PERMISSIONS", "narrow"),
    ("HR_FEED_URL", "https://hr.example/leavers.csv"),
    ("HR_FEED_FORMAT", "jsonl"),
    ("HR_FEED_SCOPE", "recent-leavers"),
    ("HR_FEED_COLUMNS", "end=Left"),
    ("HR_FEED_RECORDS", "employees"),
    ("HR_FEED_STATUSES", "Alumni=left"),
    ("HR_FEED_NO_ADDRESS", "keine"),
    ("HR_FEED_DATE_ORDER", "mdy"),
    ("HR_FEED_AUTHORIZATION", "Basic abc"),
    ("HR_FEED_MAX_AGE", "off"),
    ("HR_FEED_ALLOW_EMPTY", "true"),
    ("HR_TIME_ZONE", "Europe/Berlin"),
    ("HR_LOCATION_ZONES", "Melbourne=Australia/Melbourne"),
    ("OFFBOARDING_GRACE", "0s"),
    ("ALIASES_URL", "aliases.csv"),
    ("EXCEPTIONS_URL", "s3://rules/exceptions.csv"),
    ("EMAIL_DOMAIN_ALIASES", "example.com=example.io"),
    ("MAX_DROP_PERCENT", "31"),
    ("INTERNAL_DOMAINS", "example.com"),
    ("EVIDENCE_URL", "s3://evidence/asana"),
    ("EVIDENCE_RETENTION_DAYS", "400"),
    ("EVIDENCE_OBJECT_LOCK_MODE", "governance"),
    ("EVIDENCE_KMS_KEY_ID", "alias/evidence"),
    ("EVIDENCE_BUCKET_OWNER", "123456789012"),
    ("EVIDENCE_SIGNING_KEY", SIGNING_KEY),
    ("EVIDENCE_SIGNING_KMS_KEY_ID", "alias/signing"),
    ("EVIDENCE_RAW", "full"),
    ("S3_FORCE_PATH_STYLE", "true"),
    ("HTTP_TIMEOUT", "31s"),
    ("RETRY_MAX_ATTEMPTS", "9"),
    ("RETRY_MAX_ELAPSED", "11m"),
    ("RUN_SCHEDULE", "30 0,23 * * *"),
    ("RUN_SCHEDULE_ZONE", "Europe/Berlin"),
    ("RUN_DEADLINE", "51m"),
    ("FAIL_ON", "never"),
    ("LOG_FORMAT", "text"),
    ("RUST_LOG", "debug"),
    ("SYSTEM_CRITICALITY", "high"),
    ("CONTROL_IDS", "AC-2"),
    ("JOB_NAME", "snapshot"),
    ("POD_UID", "0f3a"),
    ("IMAGE_DIGEST", "sha256:ab"),
    ("REVIEW_EVERY", "180d"),
    ("REVOCATION_GRACE", "3d"),
    ("NOTIFY_ON", "always"),
    ("NOTIFY_WEBHOOK_URL", "https://in.example/hook"),
    (
        "NOTIFY_WEBHOOK_SECRET",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ),
    ("NOTIFY_SLACK_WEBHOOK_URL", "https://slack.example/hook"),
    ("METRICS_FILE", "/textfile/asana.prom"),
    ("METRICS_PUSHGATEWAY_URL", "http://pushgateway:9091"),
];

#[test]
fn every_variable_changes_the_settings_of_a_run() {
    let names: Vec<&str> = OTHER_VALUES.iter().map(|(name, _)| *name).collect();
    let is_of_several = |name: &str| OTHER_VALUES_OF_SEVERAL.iter().any(|(of, _)| *of == name);
    let run: Vec<&str> = VARIABLES
        .iter()
        .filter(|variable| variable.commands.contains(&Command::Run))
        .map(|variable| variable.name)
        .filter(|name| !is_of_several(name))
        .collect();
    assert_eq!(names, run);

    // Some variables need another setting: narrow permissions need domains, a header needs an https feed, an address style a bucket, a zone a schedule,
    // and `NOTIFY_ON` a receiver.
    let surroundings = [
        ("HR_FEED_URL", "https://hr.example/base.csv"),
        ("INTERNAL_DOMAINS", "base.example"),
        ("RUN_SCHEDULE", "40 23 * * *"),
        ("EVIDENCE_URL", "s3://evidence/base"),
        ("EVIDENCE_RETENTION_DAYS", "30"),
        ("NOTIFY_WEBHOOK_URL", "https://base.example/hook"),
        ("NOTIFY_WEBHOOK_SECRET", KEY),
    ];
    // Debug output shows no secrets, so each one is compared directly.
    let look = |judged: Judged<Settings>, variables: &[(&str, &str)]| {
        let run = &judged.settings;
        let token = run.source.truto.api.api_token.expose_secret().to_owned();
        let authorization = match &run.feed {
            feed::Source::File(feed::Settings {
                location: files::Location::Http { authorization, .. },
                ..
            }) => authorization.clone(),
            _ => None,
        };
        let authorization = authorization.map(|secret| secret.expose_secret().to_owned());
        let logs = logging(&environment(variables), false);
        format!("{token} {authorization:?} {logs:?} {:?}", judged.settings)
    };
    let base = look(with(&surroundings).expect("settings"), &[]);
    for (name, value) in OTHER_VALUES {
        let mut variables = surroundings.to_vec();
        variables.retain(|(other, _)| other != name);
        variables.push((name, value));
        let changed = look(with(&variables).expect("settings"), &variables);
        assert_ne!(changed, base, "{name}={value} changes nothing");
    }
}

#[test]
fn every_variable_of_several_connections_changes_their_settings() {
    let surroundings = [
        ("TRUTO_API_TOKEN", "s3cret-token"),
        ("CONNECTIONS_URL", "connections.jsonl"),
        ("SHARD_COUNT", "2"),
        ("JOB_COMPLETION_INDEX", "0"),
    ];
    let look = |variables: &[(&str, &str)]| {
        let fleet = load_fleet(environment(variables), no_files)
            .unwrap_or_else(|problems| panic!("{problems}"))
            .settings;
        let text = format!("{fleet:?}");
        assert!(!text.contains("s3cret"), "{text}");
        text
    };
    let base = look(&surroundings);
    for (name, value) in OTHER_VALUES_OF_SEVERAL {
        let mut variables = surroundings.to_vec();
        variables.retain(|(other, _)| other != name);
        variables.push((name, value));
        assert_ne!(look(&variables), base, "{name}={value} changes nothing");
    }
}

#[test]
fn the_place_of_a_variable_is_the_process_or_one_connection_or_free() {
    for name in fleet::OF_THE_PROCESS
        .iter()
        .chain(&fleet::OF_ONE_CONNECTION)
    {
        let known = variable(name).unwrap_or_else(|| panic!("{name} is not a variable"));
        assert!(known.commands.contains(&Command::Run), "{name}");
    }
    for name in fleet::OF_THE_PROCESS {
        assert!(!fleet::OF_ONE_CONNECTION.contains(&name), "{name}");
    }
    for (name, _) in OTHER_VALUES_OF_SEVERAL {
        assert!(fleet::OF_THE_PROCESS.contains(name), "{name}");
    }
}
