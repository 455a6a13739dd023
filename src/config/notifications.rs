//! Notifications.

use secrecy::SecretString;

use super::judge::Judge;
use super::values::{self, Wrong};
use super::variables::Raw;
use crate::notify::{self, NotifyOn};

impl Judge {
    /// A setting without a receiver is a problem: the operator would expect notifications.
    pub(super) fn notify(&mut self, raw: &Raw) -> Option<notify::Settings> {
        let words = [NotifyOn::Always, NotifyOn::Change, NotifyOn::Problem];
        let words = words.map(|on| (on.as_str(), on));
        let on = self.get(&raw.notify_on, values::one_of(words));
        // The whole address is a secret.
        let address = |text: &str| values::secret_address(text).map(notify::Address::new);
        let slack = self.optional(&raw.notify_slack_webhook_url, address);
        let address = self.optional(&raw.notify_webhook_url, address);
        let keys = self.optional(&raw.notify_webhook_secret, |text| {
            notify::Keys::parse(&SecretString::from(text))
                .map_err(|error| Wrong::new(error.to_string()).hint(error.hint()))
        });
        let has_webhook = raw.notify_webhook_url.is_set();
        match (has_webhook, raw.notify_webhook_secret.is_set()) {
            (true, false) => self.add(
                "NOTIFY_WEBHOOK_URL is set, but NOTIFY_WEBHOOK_SECRET is not",
                Some(notify::WebhookKeyError::None.hint()),
            ),
            (false, true) => self.add(
                "NOTIFY_WEBHOOK_SECRET is set, but NOTIFY_WEBHOOK_URL is not",
                None,
            ),
            (true, true) | (false, false) => {}
        }
        let has_receiver = has_webhook || raw.notify_slack_webhook_url.is_set();
        // The default may be set explicitly.
        if let Some(on) = on.filter(|on| *on != NotifyOn::Change && !has_receiver) {
            let on = on.as_str();
            self.add(
                format!("NOTIFY_ON=`{on}` is set, but no receiver is set"),
                Some("set NOTIFY_WEBHOOK_URL or NOTIFY_SLACK_WEBHOOK_URL, or unset NOTIFY_ON"),
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
}
