//! What the front doors read from the environment, so that the core reads none of it.

mod aws;

use persist_core::StorageOptions;

/// How the stores of the clouds are reached, as the environment and the AWS profiles say now.
pub fn storage_options() -> StorageOptions {
    let texts = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    StorageOptions::new(texts).with_aws_profiles(aws::profile)
}
