//! Stand-ins for Azure OpenAI, Entra ID, managed-identity endpoints and Key Vault.
