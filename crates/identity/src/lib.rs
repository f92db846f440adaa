//! Who is calling, and who the gateway is: tokens, keys, providers, managed identity, Key Vault.
