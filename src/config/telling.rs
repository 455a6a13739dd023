//! Notifications.

use secrecy::SecretString;

use super::judge::Judge;
use super::values::{self, Wrong};
use super::variables::Raw;
use crate::notify::{self, NotifyOn};

impl Judge {
    /// A setting that notifies nobody is a problem, since it would be taken for done.
    pub(super) fn notify(&mut self, raw: &Raw) -> Option<notify::Settings> {
        let on = self.get("NOTIFY_ON", &raw.notify_on, |text| {
            let words = [NotifyOn::Always, NotifyOn::Change, NotifyOn::Problem];
            values::choice(text, &words.map(|on| (on.as_str(), on)))
        });
        let slack = self.receiver("NOTIFY_SLACK_WEBHOOK_URL", &raw.notify_slack_webhook_url);
        let address = self.receiver("NOTIFY_WEBHOOK_URL", &raw.notify_webhook_url);
        let keys = match &raw.notify_webhook_secret {
            None => Some(None),
            // Its file was complained about.
            Some(text) if text.is_empty() => None,
            set => self.get("NOTIFY_WEBHOOK_SECRET", set, |text| {
                let keys = notify::Keys::parse(&SecretString::from(text));
                keys.map(Some)
                    .map_err(|error| Wrong::new(error.to_string()).hint(error.hint()))
            }),
        };
        match (&raw.notify_webhook_url, &raw.notify_webhook_secret) {
            (Some(_), None) => self.problems.add(
                "NOTIFY_WEBHOOK_URL is set, and NOTIFY_WEBHOOK_SECRET is not".to_owned(),
                Some(notify::WebhookKeyError::None.hint().to_owned()),
            ),
            (None, Some(_)) => self.problems.add(
                "NOTIFY_WEBHOOK_SECRET is set, and NOTIFY_WEBHOOK_URL is not".to_owned(),
                None,
            ),
            (Some(_), Some(_)) | (None, None) => {}
        }
        let has_receiver =
            raw.notify_webhook_url.is_some() || raw.notify_slack_webhook_url.is_some();
        // The default may be written out.
        if let Some(on) = on.filter(|on| *on != NotifyOn::Change && !has_receiver) {
            let on = on.as_str();
            self.problems.add(
                format!("NOTIFY_ON=`{on}` is set, and nobody is to be told"),
                Some("set NOTIFY_WEBHOOK_URL or NOTIFY_SLACK_WEBHOOK_URL, or unset it".to_owned()),
            );
        }
        let webhook = match (address?, keys?) {
            (Some(address), Some(keys)) => Some(notify::Webhook { address, keys }),
            _ => None,
        };
        Some(notify::Settings {
            on: on?,
            webhook,
            slack: slack?,
            http: notify::Settings::HTTP,
            within: notify::Settings::WITHIN,
        })
    }

    /// An address that is a secret as a whole.
    pub(super) fn receiver(
        &mut self,
        name: &str,
        value: &Option<String>,
    ) -> Option<Option<notify::Address>> {
        match value {
            None => Some(None),
            // Its file was complained about.
            Some(text) if text.is_empty() => None,
            set => self.get(name, set, |text| {
                let url = values::secret_address(text)?;
                Ok(Some(notify::Address::new(url)))
            }),
        }
    }
}
