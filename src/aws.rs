//! One AWS configuration: credentials and region as the SDK finds them, our own HTTP client.
