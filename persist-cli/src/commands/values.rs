//! Values of options that several commands take.

use jiff::SignedDuration;
use ureq::http::Uri;

/// A duration that is longer than nothing.
pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(duration) if duration.is_positive() => Ok(duration),
        Ok(_) => Err("it must be longer than nothing".to_owned()),
        Err(_) => Err("write it as 90s, 15m or 1h".to_owned()),
    }
}

/// A URL that messages can be posted to. A secret in it is in no message.
pub(crate) fn url(text: &str) -> Result<Uri, String> {
    let uri = text.parse::<Uri>().map_err(|error| error.to_string())?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => Ok(uri),
        _ => Err("write it as http://HOST/PATH or https://HOST/PATH".to_owned()),
    }
}
