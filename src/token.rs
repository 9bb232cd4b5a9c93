//! Tokens: our signing key, its JWKS, minting and checking.
