//! Signatures over ledger entries: a private key in PEM signs, and a public key checks.
//!
//! Two kinds, both checked by stock `openssl`: Ed25519, and ECDSA over P-256 with SHA-256, whose
//! signatures are DER. A public key says nothing about whose it is: it is trusted only where
//! somebody pins it.

mod pem;
mod private;
mod public;

pub use private::{KeyError, SigningError, SigningKey};
pub use public::{NoPublicKey, PublicKey};

#[cfg(test)]
mod tests;
