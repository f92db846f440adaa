//! Codes of what can be wrong with configuration entities: the only table of class `PC05xx`.

document::codes! {
    UNREADABLE = "PC0501": "configuration cannot be read",
        "A file or folder of the configuration does not exist, is not readable, is not UTF-8 or is \
         larger than what is read.";
    SYNTAX = "PC0502": "file is not valid JSON or YAML",
        "Information files are JSON, overrides and settings are YAML.";
    UNKNOWN_KEY = "PC0503": "unknown key",
        "The key means nothing here. Keys of `portcullis.yaml` are case-sensitive; a misspelled one \
         would otherwise be ignored without a word.";
    WRONG_TYPE = "PC0504": "value has the wrong type",
        "The value is of another kind than what the key takes.";
    MISSING = "PC0505": "required value is missing",
        "The entity says too little to be used.";
    BAD_VALUE = "PC0506": "value is not valid",
        "The value is of the right type, but not one of those that make sense here.";
    NOT_SUPPORTED = "PC0507": "entity is not supported in this version",
        "Azure API Management has this, this gateway does not have it yet, and leaving it out would \
         change what a request experiences. Remove it from the configuration, or wait for a \
         version that has it.";
    LEFT_OUT = "PC0508": "entity has no effect in this version",
        "The entity is not used. It cannot change what a request experiences, so the configuration \
         loads without it.";
    DUPLICATE = "PC0509": "entity is given twice",
        "Two folders, files or entries describe the same entity. Names compare without case; \
         folder names also without spaces and hyphens.";
    UNKNOWN_ENTITY = "PC0510": "unknown entity",
        "A file refers to an API, an operation or another entity that the configuration lacks.";
    UNKNOWN_FOLDER = "PC0511": "unknown folder",
        "The folder is no part of the artifact layout, so nothing in it is read.";
    REDACTED = "PC0512": "secret is redacted",
        "The tool that wrote the artifacts left the secret out. Give its value in \
         `configuration.<env>.yaml`, in `named-values:` of `portcullis.yaml`, or in the variable \
         `PORTCULLIS_NAMED_VALUE_<NAME>`.";
    TOKEN_NOT_SET = "PC0513": "variable of a token is not set",
        "`{#[NAME]#}` in an override file stands for the environment variable `NAME`, which is not \
         set.";
    SECRET_IN_FILE = "PC0514": "secret stands in the file",
        "Secrets come from `env:`, `file:` or `keyvault:`, never from the text of `portcullis.yaml`.";
    SECRET_UNREADABLE = "PC0515": "secret cannot be read",
        "The environment variable, file or Key Vault that holds the secret does not give it.";
    SPECIFICATION = "PC0516": "API specification cannot be used",
        "Operations come from the API's `specification.json` or `.yaml` (OpenAPI 2, 3.0 or 3.1). \
         What the message names is wrong with it.";
    ROUTE_CONFLICT = "PC0517": "two APIs or operations have the same address",
        "A request could be meant for either. Change one of the paths or templates.";
    NO_EFFECT = "PC0518": "override matches nothing",
        "The override names an entity that the configuration lacks. The publishing tools ignore \
         such entries.";
    UNUSABLE_KEYS = "PC0519": "subscription cannot be used",
        "A subscription without keys, or in a state other than active, admits no request.";
    NOT_SERVED = "PC0520": "part of an API is not served",
        "GraphQL subscriptions need WebSocket connections of their own, which this gateway does not \
         serve. Requests for them are answered with an error; the rest of the API works.";
    HOLDS_STREAM = "PC0525": "policy holds the stream of an MCP server",
        "An MCP server may answer with a stream that stays open. A policy that reads \
         `context.Response.Body` waits for its end, so clients get nothing until then.";
    NOT_LINKED = "PC0521": "resolver has no effect",
        "A GraphQL resolver is called for a field of the API's schema. Resolver entities go over \
         `set-graphql-resolver` policies.";
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_unique_and_of_class_05() {
        let rows = document::codes::all(&[super::CODES]);
        assert!(rows.iter().zip(rows.iter().skip(1)).all(|(a, b)| a.code != b.code));
        assert!(rows.iter().all(|it| it.code.as_str().starts_with("PC05")));
        assert!(rows.iter().all(|it| it.explanation.ends_with('.')));
    }
}
