//! The policies that check tokens, from document to answer, against a pretended provider.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use identity::{ProviderSettings, Providers};
use pipeline::{Blame, Extensions};
use serde_json::{Value, json};
use transport::{Body, FakeClient, FakeClock, Response};

use crate::test_support::Trial;

const NOW: u64 = 1_700_000_000;
const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const CLIENT: &str = "aaaaaaaa-0000-0000-0000-000000000001";
const RESOURCE: &str = "https://cognitiveservices.azure.com";

fn key() -> &'static EcdsaKeyPair {
    static KEY: OnceLock<EcdsaKeyPair> = OnceLock::new();
    KEY.get_or_init(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn token_with(header: &Value, claims: &Value) -> String {
    let text = [header, claims].map(|it| encode(it.to_string())).join(".");
    let signature = key().sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", encode(signature.as_ref()))
}

fn token(claims: &Value) -> String {
    token_with(&json!({ "alg": "ES256", "typ": "JWT", "kid": "k1" }), claims)
}

fn claims() -> Value {
    json!({ "iss": format!("https://sts.windows.net/{TENANT}/"), "aud": RESOURCE, "tid": TENANT,
        "appid": CLIENT, "sub": "me", "roles": ["a", "b"], "exp": NOW + 60 })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn client() -> FakeClient {
    FakeClient::new(|request| {
        let point = &key().public_key().as_ref()[1..];
        let (x, y) = point.split_at(32);
        let tenant = request.uri.path().split('/').nth(1).unwrap_or("");
        let issuer = match tenant {
            "common" | "organizations" => "{tenantid}",
            _ => TENANT,
        };
        let document = match request.uri.path().ends_with("/openid-configuration") {
            true => json!({ "issuer": format!("https://login.microsoftonline.com/{issuer}/v2.0"),
                "jwks_uri": "https://login.microsoftonline.com/keys" }),
            false => json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig", "kid": "k1",
                "x": encode(x), "y": encode(y) }] }),
        };
        Ok(Response::new(Body::full(document.to_string())))
    })
}

fn extensions(client: FakeClient) -> Extensions {
    let clock = Arc::new(FakeClock::at_unix(NOW));
    let providers = Providers::new(Arc::new(client), clock, ProviderSettings::default());
    let mut extensions = Extensions::default();
    extensions.insert(Arc::new(providers));
    extensions
}

fn trial(policy: &str) -> Trial {
    Trial { extensions: extensions(client()), ..Trial::inbound(policy) }
}

fn outcome(policy: &str, request: &str) -> String {
    trial(policy).run(request).outcome
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

/// The guide's snippets, with its named values filled in.
fn guide() -> [String; 2] {
    let jwt = r#"
    <validate-jwt header-name="Authorization" failed-validation-httpcode="403" failed-validation-error-message="Forbidden">
        <openid-config url="https://login.microsoftonline.com/TENANT/v2.0/.well-known/openid-configuration" />
        <issuers><issuer>https://sts.windows.net/TENANT/</issuer></issuers>
        <required-claims><claim name="aud"><value>https://cognitiveservices.azure.com</value></claim></required-claims>
    </validate-jwt>"#;
    let entra = r#"
    <validate-azure-ad-token tenant-id="TENANT" header-name="Authorization" failed-validation-httpcode="403" failed-validation-error-message="Forbidden">
        <client-application-ids>
            <application-id>CLIENT</application-id>
        </client-application-ids>
        <required-claims><claim name="aud"><value>https://cognitiveservices.azure.com</value></claim></required-claims>
    </validate-azure-ad-token>"#;
    [jwt, entra].map(|it| it.replace("TENANT", TENANT).replace("CLIENT", CLIENT))
}

#[test]
fn the_guides_snippets_answer_as_the_table_says() {
    let other = format!("https://sts.windows.net/{CLIENT}/");
    for (request, jwt, entra) in [
        (String::new(), "TokenNotPresent", "TokenNotPresent"),
        (bearer(&token(&claims())), "next", "next"),
        (bearer(&token(&with(claims(), "aud", json!([RESOURCE])))), "next", "next"),
        (
            bearer(&token(&with(claims(), "aud", json!(format!("{RESOURCE}/"))))),
            "TokenClaimValueNotAllowed",
            "TokenClaimValueNotAllowed",
        ),
        (
            bearer(&token(&with(claims(), "aud", Value::Null))),
            "TokenClaimNotFound",
            "TokenClaimNotFound",
        ),
        (bearer(&token(&with(claims(), "appid", json!("x")))), "next", "TokenClaimValueNotAllowed"),
        (
            bearer(&token(&with(claims(), "iss", json!(other)))),
            "TokenIssuerNotAllowed",
            "TokenIssuerNotAllowed",
        ),
        (bearer(&token(&with(claims(), "exp", json!(NOW - 1)))), "TokenExpired", "TokenExpired"),
        (bearer(&token(&with(claims(), "exp", Value::Null))), "JwtInvalid", "JwtInvalid"),
        (
            bearer(&token_with(&json!({ "alg": "ES256", "kid": "k9" }), &claims())),
            "TokenSignatureKeyNotFound",
            "TokenSignatureKeyNotFound",
        ),
        (bearer(&format!("{}=", token(&claims()))), "JwtInvalid", "JwtInvalid"),
        (bearer("x"), "JwtInvalid", "JwtInvalid"),
    ] {
        for (policy, expected) in guide().iter().zip([jwt, entra]) {
            let expected = match expected {
                "next" => "next".to_owned(),
                reason => format!("403 Forbidden ({reason})"),
            };
            assert_eq!(outcome(policy, &request), expected, "{request}");
        }
    }
    let [head, payload, signature] =
        <[String; 3]>::try_from(token(&claims()).split('.').map(str::to_owned).collect::<Vec<_>>())
            .unwrap();
    let changed = encode(with(claims(), "sub", json!("you")).to_string());
    for policy in guide() {
        let tampered = bearer(&format!("{head}.{changed}.{signature}"));
        assert_eq!(outcome(&policy, &tampered), "403 Forbidden (TokenSignatureInvalid)");
        let none = format!("{}.{payload}.", encode(r#"{"alg":"none"}"#));
        assert_eq!(outcome(&policy, &bearer(&none)), "403 Forbidden (JwtInvalid)");
    }
}

const OPEN: &str = r#"<validate-jwt ATTRS>
    <openid-config url="https://login.microsoftonline.com/TENANT/v2.0/.well-known/openid-configuration" validate-connectivity="false" />
    <audiences><audience>https://cognitiveservices.azure.com</audience></audiences>
    <issuers><issuer>https://sts.windows.net/TENANT/</issuer></issuers>
</validate-jwt>"#;

fn with_attrs(attrs: &str) -> String {
    OPEN.replace("ATTRS", attrs).replace("TENANT", TENANT)
}

#[test]
fn the_defaults_are_those_of_azure() {
    let policy = with_attrs(r#"header-name="Authorization""#);

    assert_eq!(outcome(&policy, ""), "401 JWT not present. (TokenNotPresent)");
    assert_eq!(outcome(&policy, "authorization: "), "401 JWT not present. (TokenNotPresent)");
    assert_eq!(outcome(&policy, &bearer("x")), "401 Invalid JWT. (JwtInvalid)");
    let other = token(&with(claims(), "aud", json!("x")));
    assert_eq!(outcome(&policy, &bearer(&other)), "401 Invalid JWT. (TokenAudienceNotAllowed)");
    let edge = token(&with(claims(), "exp", json!(NOW)));
    assert_eq!(outcome(&policy, &bearer(&edge)), "401 Invalid JWT. (TokenExpired)");
}

#[test]
fn the_scheme_is_dropped_or_required() {
    let good = token(&claims());
    let any = with_attrs(r#"header-name="Authorization""#);
    let required = with_attrs(r#"header-name="authorization" require-scheme="Bearer""#);
    for (header, without, with) in [
        (format!("Bearer {good}"), "next", "next"),
        (format!("bearer   {good}"), "next", "next"),
        (format!("Token {good}"), "next", "401 Invalid JWT. (JwtInvalid)"),
        (good.clone(), "next", "401 Invalid JWT. (JwtInvalid)"),
        (
            "Bearer".to_owned(),
            "401 Invalid JWT. (JwtInvalid)",
            "401 JWT not present. (TokenNotPresent)",
        ),
        (
            format!("Bearer {good}\nauthorization: Bearer {good}"),
            "401 Invalid JWT. (JwtInvalid)",
            "401 Invalid JWT. (JwtInvalid)",
        ),
    ] {
        let request = format!("authorization: {header}");
        assert_eq!(outcome(&any, &request), without, "{header}");
        assert_eq!(outcome(&required, &request), with, "{header}");
    }
}

#[test]
fn the_token_may_be_in_another_header_or_in_the_query() {
    let good = token(&claims());
    let header = with_attrs(r#"header-name="X-Token" require-scheme="Bearer""#);
    assert_eq!(outcome(&header, &format!("x-token: {good}")), "next");
    assert_eq!(
        outcome(&header, &format!("x-token: Bearer {good}")),
        "401 Invalid JWT. (JwtInvalid)"
    );

    let query = with_attrs(r#"query-parameter-name="auth""#);
    assert_eq!(outcome(&query, &format!("GET /a?x=1&Auth={good}")), "next");
    assert_eq!(outcome(&query, "GET /a?x=1"), "401 JWT not present. (TokenNotPresent)");
    assert_eq!(
        outcome(&query, &format!("GET /a?auth={good}&auth={good}")),
        "401 Invalid JWT. (JwtInvalid)"
    );

    let value = with_attrs(&format!(r#"token-value="{good}""#));
    assert_eq!(outcome(&value, ""), "next");
    let value = with_attrs(r#"token-value="Bearer x""#);
    assert_eq!(outcome(&value, ""), "401 Invalid JWT. (JwtInvalid)");
}

#[test]
fn the_source_is_named_exactly_once() {
    let problems = |attrs: &str| trial(&with_attrs(attrs)).problems();

    assert_eq!(problems(r#"header-name="a""#), "fine");
    assert_eq!(problems(""), "PC0425");
    assert!(problems(r#"header-name="a" token-value="b""#).starts_with("PC0410"));
    assert_eq!(problems(r#"header-name="a" clock-skew="x""#), "PC0409");
    assert_eq!(problems(r#"header-name="a" failed-validation-httpcode="99""#), "PC0409");
    assert_eq!(problems(r#"header-name="a" require-signed-tokens="maybe""#), "PC0409");
}

#[test]
fn time_checks_have_a_tolerance_and_exp_can_be_optional() {
    let late = bearer(&token(&with(claims(), "exp", json!(NOW - 10))));
    for (skew, expected) in
        [("10", "401 Invalid JWT. (TokenExpired)"), ("11", "next"), ("00:00:11", "next")]
    {
        let policy = with_attrs(&format!(r#"header-name="Authorization" clock-skew="{skew}""#));
        assert_eq!(outcome(&policy, &late), expected, "{skew}");
    }
    let timeless = bearer(&token(&with(claims(), "exp", Value::Null)));
    let policy = with_attrs(r#"header-name="Authorization" require-expiration-time="false""#);
    assert_eq!(outcome(&policy, &timeless), "next");
    assert_eq!(outcome(&policy, &late), "401 Invalid JWT. (TokenExpired)");
}

#[test]
fn unsigned_tokens_pass_only_on_demand() {
    let none = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(claims().to_string()));
    let strict = with_attrs(r#"header-name="Authorization""#);
    let lax = with_attrs(r#"header-name="Authorization" require-signed-tokens="false""#);

    assert_eq!(outcome(&strict, &bearer(&none)), "401 Invalid JWT. (JwtInvalid)");
    assert_eq!(outcome(&lax, &bearer(&none)), "next");
}

#[test]
fn the_valid_token_is_stored_and_the_request_unchanged() {
    let policy = with_attrs(r#"header-name="Authorization" output-token-variable-name="jwt""#);
    let good = bearer(&token(&claims()));

    let ran = trial(&policy).run(&good);
    assert_eq!(ran.outcome, "next");
    assert_eq!(ran.context.variables.get("jwt").unwrap().type_name(), "Apim.Jwt");
    assert!(ran.context.request.headers.contains_key("authorization"));

    let ran = trial(&policy).run(&bearer("x"));
    assert!(ran.context.variables.get("jwt").is_none());
}

#[test]
fn keys_of_the_policy_itself_are_used() {
    let secret = STANDARD.encode(b"0123456789abcdef0123456789abcdef");
    let policy = |key: &str| {
        format!(
            r#"<validate-jwt header-name="Authorization"><issuer-signing-keys>{key}</issuer-signing-keys></validate-jwt>"#
        )
    };
    let text =
        format!("{}.{}", encode(r#"{"alg":"HS256","kid":"s"}"#), encode(claims().to_string()));
    let mac = aws_lc_rs::hmac::sign(
        &aws_lc_rs::hmac::Key::new(
            aws_lc_rs::hmac::HMAC_SHA256,
            b"0123456789abcdef0123456789abcdef",
        ),
        text.as_bytes(),
    );
    let signed = bearer(&format!("{text}.{}", encode(mac.as_ref())));

    assert_eq!(outcome(&policy(&format!("<key>{secret}</key>")), &signed), "next");
    assert_eq!(outcome(&policy(&format!(r#"<key id="other">{secret}</key>"#)), &signed), "next");
    assert_eq!(outcome(&policy(""), &signed), "401 Invalid JWT. (TokenSignatureKeyNotFound)");
    for (key, code) in [
        ("<key>not base64!</key>", "PC0409"),
        ("<key>dGVzdA==</key>", "PC0409"),
        ("<key />", "PC0424"),
        (r#"<key n="AQAB" e="AQAB" />"#, "PC0409"),
        (r#"<key n="AQAB" />"#, "PC0404"),
        (r#"<key certificate-id="c" />"#, "fine"),
    ] {
        assert_eq!(trial(&policy(key)).problems(), code, "{key}");
    }
    let decryption = |key: &str| {
        let policy = format!(
            r#"<validate-jwt header-name="a"><decryption-keys>{key}</decryption-keys></validate-jwt>"#
        );
        trial(&policy).problems()
    };
    assert_eq!(decryption(&format!("<key>{secret}</key>")), "fine");
    assert_eq!(decryption("<key>dGVzdA==</key>"), "PC0409");
    assert_eq!(decryption(r#"<key certificate-id="c" />"#), "fine");
}

#[test]
fn required_claims_have_match_and_separator() {
    let policy = |claim: &str| {
        with_attrs(r#"header-name="Authorization""#).replace(
            "</validate-jwt>",
            &format!("<required-claims>{claim}</required-claims></validate-jwt>"),
        )
    };
    let good = bearer(&token(&with(claims(), "scp", json!("read write"))));
    for (claim, expected) in [
        (r#"<claim name="roles"><value>a</value><value>b</value></claim>"#, "next"),
        (
            r#"<claim name="roles" match="all"><value>a</value><value>c</value></claim>"#,
            "TokenClaimValueNotAllowed",
        ),
        (r#"<claim name="roles" match="any"><value>a</value><value>c</value></claim>"#, "next"),
        (r#"<claim name="scp" separator=" "><value>read</value></claim>"#, "next"),
        (r#"<claim name="scp"><value>read</value></claim>"#, "TokenClaimValueNotAllowed"),
        (r#"<claim name="scp" />"#, "next"),
        (r#"<claim name="absent" />"#, "TokenClaimNotFound"),
    ] {
        let expected = match expected {
            "next" => "next".to_owned(),
            reason => format!("401 Invalid JWT. ({reason})"),
        };
        assert_eq!(outcome(&policy(claim), &good), expected, "{claim}");
    }
    assert_eq!(trial(&policy(r#"<claim name="x" match="some" />"#)).problems(), "PC0409");
    assert_eq!(trial(&policy("<claim />")).problems(), "PC0404");
}

fn entra(attrs: &str, children: &str) -> String {
    format!("<validate-azure-ad-token {attrs}>{children}</validate-azure-ad-token>")
}

#[test]
fn a_tenant_is_given_in_every_form() {
    let clients = format!(
        "<client-application-ids><application-id>{CLIENT}</application-id></client-application-ids>"
    );
    let good = bearer(&token(&claims()));
    for tenant in [
        TENANT,
        "contoso.onmicrosoft.com",
        "https://contoso.onmicrosoft.com",
        "organizations",
        "https://login.microsoftonline.com/common",
    ] {
        let policy = entra(&format!(r#"tenant-id="{tenant}""#), &clients);
        assert_eq!(outcome(&policy, &good), "next", "{tenant}");
    }
    let policy = entra(&format!(r#"tenant-id="{CLIENT}""#), &clients);
    assert_eq!(outcome(&policy, &good), "401 Invalid JWT. (TokenIssuerNotAllowed)");
    assert_eq!(trial(&entra(r#"tenant-id="{tenant-id}""#, &clients)).problems(), "PC0409");
    assert_eq!(trial(&entra("", &clients)).problems(), "PC0404");
    let plain = r#"tenant-id="organizations" authentication-endpoint="http://login.test""#;
    assert_eq!(trial(&entra(plain, &clients)).problems(), "PC0409");
}

#[test]
fn entra_tokens_need_the_scheme_bearer_in_the_default_header() {
    let policy = entra(
        &format!(r#"tenant-id="{TENANT}""#),
        "<audiences><audience>https://cognitiveservices.azure.com</audience></audiences>",
    );
    let good = token(&claims());

    assert_eq!(outcome(&policy, &bearer(&good)), "next");
    assert_eq!(
        outcome(&policy, &format!("authorization: {good}")),
        "401 Invalid JWT. (JwtInvalid)"
    );
    assert_eq!(outcome(&policy, ""), "401 JWT not present. (TokenNotPresent)");
}

#[test]
fn backend_applications_are_audiences_and_empty_lists_let_nobody_in() {
    let policy = |list: &str, id: &str| {
        let list = format!("<{list}><application-id>{id}</application-id></{list}>");
        entra(&format!(r#"tenant-id="{TENANT}""#), &list)
    };
    let for_app = bearer(&token(&with(claims(), "aud", json!("api://app"))));

    assert_eq!(outcome(&policy("backend-application-ids", "app"), &for_app), "next");
    assert_eq!(
        outcome(&policy("backend-application-ids", "other"), &for_app),
        "401 Invalid JWT. (TokenAudienceNotAllowed)"
    );
    assert_eq!(
        outcome(&policy("backend-application-ids", " "), &for_app),
        "401 Invalid JWT. (TokenAudienceNotAllowed)"
    );
    assert_eq!(
        outcome(&policy("client-application-ids", " "), &for_app),
        "401 Invalid JWT. (TokenClaimValueNotAllowed)"
    );
}

#[test]
fn policies_that_let_every_token_pass_are_warned_about() {
    let config = |tenant: &str| {
        format!(
            r#"<openid-config url="https://login.microsoftonline.com/{tenant}/v2.0/.well-known/openid-configuration" />"#
        )
    };
    let jwt = |children: &str| {
        trial(&format!(r#"<validate-jwt header-name="Authorization">{children}</validate-jwt>"#))
            .problems()
    };
    let claim = |name: &str| {
        format!(
            r#"<required-claims><claim name="{name}"><value>v</value></claim></required-claims>"#
        )
    };

    assert_eq!(jwt(&config(TENANT)), "PC0412");
    assert_eq!(jwt(&format!("{}{}", config(TENANT), claim("roles"))), "fine");
    assert_eq!(jwt(&format!("{}{}", config("common"), claim("roles"))), "PC0412");
    assert_eq!(jwt(&format!("{}{}", config("common"), claim("aud"))), "fine");
    assert_eq!(jwt(&format!("{}<issuers><issuer>i</issuer></issuers>", config("common"))), "fine");
    assert_eq!(jwt(""), "fine");
    let ad =
        |children: &str| trial(&entra(&format!(r#"tenant-id="{TENANT}""#), children)).problems();
    assert_eq!(ad(""), "PC0412");
    assert_eq!(ad(&claim("roles")), "fine");
    assert_eq!(ad("<audiences><audience>a</audience></audiences>"), "fine");
    assert_eq!(trial(&entra(r#"tenant-id="common""#, &claim("roles"))).problems(), "PC0412");
    for policy in guide() {
        assert_eq!(trial(&policy).problems(), "fine");
    }
}

#[test]
fn addresses_must_be_https() {
    let policy = |url: &str| {
        trial(&format!(
            r#"<validate-jwt header-name="a"><openid-config url="{url}" /><issuers /></validate-jwt>"#
        ))
    };
    assert_eq!(policy("http://idp.test/x").problems(), "PC0409");
    assert_eq!(policy("idp").problems(), "PC0409");
    assert_eq!(policy("http://localhost:1/x").problems(), "fine");
    // Without services it is not known which hosts are listed.
    let checked = |url: &str| Trial { extensions: Extensions::default(), ..policy(url) }.problems();
    assert_eq!(checked("http://idp.test/x"), "fine");
    assert_eq!(checked("ftp://idp.test/x"), "PC0409");
}

#[test]
fn a_provider_that_is_down_refuses_and_is_blamed() {
    let down = extensions(FakeClient::unreachable());
    let [jwt, _] = guide();
    let trial = Trial { extensions: down, ..Trial::inbound(&jwt) };

    let ran = trial.run(&bearer(&token(&claims())));

    assert_eq!(ran.outcome, "403 Forbidden (JwtInvalid)");
    assert_eq!(ran.blame, Some(Blame::IdentityProvider));
}

#[test]
fn keys_are_shared_by_policies_and_fetched_once() {
    let client = client();
    let [jwt, entra] = guide();
    let trial = Trial {
        extensions: extensions(client.clone()),
        ..Trial::inbound(&format!("{jwt}{entra}{jwt}"))
    };

    assert_eq!(trial.run(&bearer(&token(&claims()))).outcome, "next");
    assert_eq!(client.requests().len(), 2);
}

#[test]
fn values_may_be_computed_per_request() {
    let good = bearer(&token(&claims()));
    let policy = format!(
        r#"<set-variable name="tenant" value="{TENANT}" />
        <validate-jwt header-name="@("Author" + "ization")" clock-skew="@(2 * 5)" failed-validation-httpcode="@(400 + 3)"
            failed-validation-error-message="@("Not " + "you")" require-expiration-time="@(true)" require-scheme="@("Bea" + "rer")">
            <openid-config url="@("https://login.microsoftonline.com/" + (string)context.Variables["tenant"] + "/v2.0/.well-known/openid-configuration")" />
            <audiences><audience>@(context.Variables.GetValueOrDefault<string>("audience", "{RESOURCE}"))</audience></audiences>
            <issuers><issuer>@($"https://sts.windows.net/{{context.Variables["tenant"]}}/")</issuer></issuers>
            <required-claims>
                <claim name="@("ro" + "les")" match="@(true ? "any" : "all")"><value>@("a")</value><value>z</value></claim>
            </required-claims>
        </validate-jwt>"#
    );
    assert_eq!(outcome(&policy, &good), "next");
    let late = bearer(&token(&with(claims(), "exp", json!(NOW - 9))));
    assert_eq!(outcome(&policy, &late), "next");
    let too_late = bearer(&token(&with(claims(), "exp", json!(NOW - 10))));
    assert_eq!(outcome(&policy, &too_late), "403 Not you (TokenExpired)");
    let other = bearer(&token(&with(claims(), "roles", json!(["b"]))));
    assert_eq!(outcome(&policy, &other), "403 Not you (TokenClaimValueNotAllowed)");
    let unknown = format!(r#"<set-variable name="audience" value="other" />{policy}"#);
    assert_eq!(outcome(&unknown, &good), "403 Not you (TokenAudienceNotAllowed)");
    let elsewhere = policy.replace(&format!("value=\"{TENANT}\""), "value=\"x y\"");
    assert_eq!(outcome(&elsewhere, &good), "403 Not you (TokenIssuerNotAllowed)");
}

#[test]
fn a_computed_tenant_or_address_that_is_none_refuses_the_token() {
    let good = bearer(&token(&claims()));
    let policy =
        entra(r#"tenant-id="@(context.Request.Headers.GetValueOrDefault("x-tenant", ""))""#, "");
    let request = |tenant: &str| format!("{good}\nx-tenant: {tenant}");
    assert_eq!(outcome(&policy, &request(TENANT)), "next");
    assert_eq!(outcome(&policy, &request("contoso.onmicrosoft.com")), "next");
    assert_eq!(outcome(&policy, &request("no tenant")), "401 Invalid JWT. (JwtInvalid)");
    let url = r#"<validate-jwt header-name="Authorization"><openid-config url="@("http://" + context.Request.Headers.GetValueOrDefault("x-idp", "idp.test"))" /><issuers><issuer>i</issuer></issuers></validate-jwt>"#;
    assert_eq!(outcome(url, &good), "401 Invalid JWT. (JwtInvalid)");
}

#[test]
fn an_expression_without_a_result_accepts_nothing() {
    let nothing = bearer(&token(&with(with(claims(), "aud", json!("")), "iss", json!(""))));
    let null = r#"@(context.Variables.GetValueOrDefault<string>("none"))"#;
    for list in [
        format!("<audiences><audience>{null}</audience></audiences>"),
        format!("<issuers><issuer>{null}</issuer></issuers>"),
    ] {
        let policy = format!(
            r#"<validate-jwt header-name="Authorization"><openid-config url="https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration" />{list}</validate-jwt>"#
        );
        assert!(outcome(&policy, &nothing).starts_with("401"), "{list}");
    }
    let value = format!(
        r#"<validate-jwt token-value="{null}"><issuers><issuer>i</issuer></issuers></validate-jwt>"#
    );
    assert_eq!(outcome(&value, ""), "401 JWT not present. (TokenNotPresent)");
}

#[test]
fn the_stored_token_has_the_members_of_jwt() {
    let check = with_attrs(r#"header-name="Authorization" output-token-variable-name="jwt""#);
    let policy = format!(
        r#"{check}<set-variable name="seen" value="@{{ var jwt = (Jwt)context.Variables["jwt"]; return jwt.Issuer + " " + jwt.Subject + " " + jwt.Algorithm + " " + string.Join(",", jwt.Claims["roles"]) + " " + jwt.Audiences.First(); }}" />"#
    );

    let ran = trial(&policy).run(&bearer(&token(&claims())));

    let seen = ran.context.variables.get("seen").unwrap();
    let expected = format!("https://sts.windows.net/{TENANT}/ me ES256 a,b {RESOURCE}");
    assert_eq!(seen.as_str(), Some(expected.as_str()));
}
