//! Truto: address, token and limits.

use std::sync::Arc;

use super::judge::Judge;
use super::values;
use super::variables::Raw;
use crate::model::Permissions;
use crate::{net, truto};

impl Judge {
    pub(super) fn http(&mut self, raw: &Raw) -> Option<net::Settings> {
        let timeout = self.get(&raw.http_timeout, values::some_time);
        let attempts = self.get(&raw.retry_max_attempts, values::number(1, 100));
        let elapsed = self.get(&raw.retry_max_elapsed, values::duration);
        Some(net::Settings {
            timeout: timeout?,
            max_attempts: attempts?.min(self.few_attempts.unwrap_or(u32::MAX)),
            max_elapsed: elapsed?,
            base_delay: net::Settings::BASE_DELAY,
            traffic: Some(Arc::default()),
        })
    }

    pub(super) fn truto(
        &mut self,
        raw: &Raw,
        http: Option<net::Settings>,
    ) -> Option<truto::Settings> {
        let api = self.api(raw, http);
        let connection = self.connection(raw);
        let page_size = self.get(&raw.truto_page_size, values::number(1, 1000));
        Some(api?.to(&connection?, page_size?))
    }

    pub(super) fn permissions(&mut self, raw: &Raw) -> Option<Permissions> {
        let words = [Permissions::Full, Permissions::Narrow].map(|of| (of.as_str(), of));
        self.get(&raw.asana_permissions, values::one_of(words))
    }

    pub(super) fn connection(&mut self, raw: &Raw) -> Option<String> {
        self.get(&raw.truto_integrated_account_id, values::connection_id)
    }

    /// The API of Truto, for any connection.
    pub(super) fn api(
        &mut self,
        raw: &Raw,
        http: Option<net::Settings>,
    ) -> Option<truto::ApiSettings> {
        let token = self.secret(&raw.truto_api_token);
        let base_url = self.get(&raw.truto_base_url, values::base_url);
        let rate_limit = self.get(&raw.truto_rate_limit, values::rate_limit);
        Some(truto::ApiSettings {
            base_url: base_url?,
            api_token: token?,
            rate_limit: rate_limit?,
            token_pace: self.token_pace.clone(),
            http: http?,
        })
    }
}
