//! Errors as the servers send them, in the order in which their documentation lists them.

use super::*;

use FailureKind as K;

fn kind(status: u16, body: &str) -> FailureKind {
    failure(Some(status), &HeaderMap::new(), body.as_bytes()).kind()
}

/// Provider, status, body, kind.
type Row = (&'static str, u16, &'static str, FailureKind);

#[rustfmt::skip]
const OPENAI: &[Row] = &[
    ("openai", 400, r#"{"error":{"message":"Invalid type for 'messages'","type":"invalid_request_error","param":"messages","code":"invalid_type"}}"#, K::InvalidRequest),
    ("openai", 400, r#"{"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 150021 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#, K::ContextOverflow),
    ("openai", 400, r#"{"error":{"message":"Invalid 'messages[0].content': string too long. Expected a string with maximum length 10485760","type":"invalid_request_error","param":"messages[0].content","code":"string_above_max_length"}}"#, K::ContextOverflow),
    ("openai", 400, r#"{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy.","type":"invalid_request_error","param":null,"code":"invalid_prompt"}}"#, K::ContentFilter),
    ("openai", 400, r#"{"error":{"message":"Your request was rejected as a result of our safety system.","type":"image_generation_user_error","param":null,"code":"content_policy_violation"}}"#, K::ContentFilter),
    ("openai", 401, r#"{"error":{"message":"Incorrect API key provided: sk-12345.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#, K::Auth),
    ("openai", 403, r#"{"error":{"message":"Country, region, or territory not supported","type":"request_forbidden","param":null,"code":"unsupported_country_region_territory"}}"#, K::Auth),
    ("openai", 403, r#"{"error":{"message":"Project `proj_1` does not have access to model `o9`","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#, K::ModelNotFound),
    ("openai", 404, r#"{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#, K::ModelNotFound),
    ("openai", 404, r#"{"error":{"message":"Invalid URL (POST /v1/v1/chat/completions)","type":"invalid_request_error","param":null,"code":null}}"#, K::InvalidRequest),
    ("openai", 429, r#"{"error":{"message":"Rate limit reached for gpt-4o in organization org-1 on requests per min. Please try again in 20s. Visit https://platform.openai.com/account/billing to add a payment method.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#, K::RateLimit),
    ("openai", 429, r#"{"error":{"message":"Rate limit reached for gpt-4o. Visit https://platform.openai.com/account/billing to add a payment method.","type":"tokens","param":null,"code":null}}"#, K::RateLimit),
    ("openai", 429, r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#, K::QuotaExhausted),
    ("openai", 429, r#"{"error":{"message":"Billing hard limit has been reached","type":"invalid_request_error","param":null,"code":"billing_hard_limit_reached"}}"#, K::QuotaExhausted),
    ("openai", 429, r#"{"error":{"message":"Your account is not active","type":"billing_not_active","param":null,"code":"billing_not_active"}}"#, K::QuotaExhausted),
    ("openai", 500, r#"{"error":{"message":"The server had an error while processing your request.","type":"server_error","param":null,"code":null}}"#, K::ModelOverload),
    ("openai", 503, r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"service_unavailable_error","param":null,"code":"server_is_overloaded"}}"#, K::ModelOverload),
    ("openai", 503, r#"{"error":{"message":"Slow down","type":"server_error","param":null,"code":"slow_down"}}"#, K::ModelOverload),
];

#[rustfmt::skip]
const AZURE: &[Row] = &[
    ("azure", 400, r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}"#, K::ContentFilter),
    ("azure", 400, r#"{"error":{"code":"BadRequest","message":"m","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#, K::ContentFilter),
    ("azure", 401, r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}"#, K::Auth),
    ("azure", 401, r#"{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, or expired."}"#, K::Auth),
    ("azure", 401, r#"{"error":{"code":"PermissionDenied","message":"The principal lacks the required data action"}}"#, K::Auth),
    ("azure", 404, r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#, K::ModelNotFound),
    ("azure", 404, r#"{"error":{"code":"404","message":"Resource not found"}}"#, K::InvalidRequest),
    ("azure", 429, r#"{"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 33 seconds."}}"#, K::RateLimit),
    ("azure", 429, r#"{"error":{"code":"too_many_requests","message":"Too many requests"}}"#, K::RateLimit),
    ("azure", 500, r#"{"statusCode":500,"message":"Internal server error","activityId":"a-b"}"#, K::ModelOverload),
    ("azure", 408, r#"{"error":{"code":"Timeout","message":"The operation was timeout."}}"#, K::TransientNetwork),
];

#[rustfmt::skip]
const GATEWAYS: &[Row] = &[
    ("openrouter", 400, r#"{"error":{"message":"x/y is not a valid model ID","code":400},"user_id":"u"}"#, K::ModelNotFound),
    ("openrouter", 400, r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"too long\",\"code\":\"context_length_exceeded\"}}","provider_name":"P"}}}"#, K::ContextOverflow),
    ("openrouter", 400, r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"This endpoint's maximum context length is 8192 tokens","provider_name":"P"}}}"#, K::ContextOverflow),
    ("openrouter", 400, r#"{"error":{"message":"m","code":400,"metadata":{"error_type":"string_too_long"}}}"#, K::ContextOverflow),
    ("openrouter", 401, r#"{"error":{"message":"No auth credentials found","code":401}}"#, K::Auth),
    ("openrouter", 402, r#"{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/credits","code":402}}"#, K::QuotaExhausted),
    ("openrouter", 402, r#"{"error":{"message":"m","code":402,"metadata":{"limit_source":"openrouter_in_flight_budget","error_type":"payment_required"}}}"#, K::RateLimit),
    ("openrouter", 403, r#"{"error":{"message":"m","code":403,"metadata":{"limit_source":"openrouter_key_limit"}}}"#, K::QuotaExhausted),
    ("openrouter", 403, r#"{"error":{"message":"Your chosen model requires moderation and your input was flagged","code":403,"metadata":{"reasons":["violence"],"flagged_input":"...","provider_name":"P"}}}"#, K::ContentFilter),
    ("openrouter", 403, r#"{"error":{"message":"Key disabled","code":403}}"#, K::Auth),
    ("openrouter", 404, r#"{"error":{"message":"No endpoints found for x/y.","code":404}}"#, K::ModelNotFound),
    ("openrouter", 408, r#"{"error":{"message":"Timed out","code":408}}"#, K::TransientNetwork),
    ("openrouter", 429, r#"{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"x/y:free is temporarily rate-limited upstream. Please retry shortly.","provider_name":"P"}}}"#, K::RateLimit),
    ("openrouter", 502, r#"{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"<html>","provider_name":"P"}}}"#, K::ModelOverload),
    ("openrouter", 503, r#"{"error":{"message":"m","code":503,"metadata":{"error_type":"provider_overloaded"}}}"#, K::ModelOverload),
    ("openrouter", 529, r#"{"error":{"message":"Provider returned error","code":529}}"#, K::ModelOverload),
    ("litellm", 400, r#"{"error":{"message":"litellm.ContextWindowExceededError: ContextWindowExceededError","type":null,"param":null,"code":"400"}}"#, K::ContextOverflow),
    ("litellm", 400, r#"{"error":{"message":"Budget has been exceeded! Current cost: 12.1, Max budget: 10.0","type":"budget_exceeded","param":null,"code":"400"}}"#, K::QuotaExhausted),
    ("litellm", 400, r#"{"error":{"message":"/chat/completions: Invalid model name passed in model=x","type":"invalid_request_error","param":"model","code":"400"}}"#, K::ModelNotFound),
    ("litellm", 429, r#"{"error":{"message":"litellm.RateLimitError: see https://platform.openai.com/account/billing","type":"throttling_error","param":null,"code":"429"}}"#, K::RateLimit),
    ("one-api", 403, r#"{"error":{"message":"m","type":"new_api_error","param":"","code":"insufficient_user_quota"}}"#, K::QuotaExhausted),
    ("one-api", 503, r#"{"error":{"message":"No available channel for model x","type":"new_api_error","param":"","code":"model_not_found"}}"#, K::ModelNotFound),
    ("kong", 429, r#"{"message":"API rate limit exceeded"}"#, K::RateLimit),
    ("kong", 404, r#"{"message":"no Route matched with those values"}"#, K::InvalidRequest),
    ("aws", 403, r#"{"message":"Forbidden"}"#, K::Auth),
    ("aws", 504, r#"{"message":"Endpoint request timed out"}"#, K::ModelOverload),
    ("fastapi", 404, r#"{"detail":"Not Found"}"#, K::InvalidRequest),
    ("fastapi", 422, r#"{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"}]}"#, K::InvalidRequest),
    ("cloudflare", 401, r#"{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"result":null}"#, K::Auth),
    ("cloudflare", 429, "error code: 1015", K::RateLimit),
];

#[rustfmt::skip]
const PROVIDERS: &[Row] = &[
    ("deepseek", 400, r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#, K::ModelNotFound),
    ("deepseek", 400, r#"{"error":{"message":"Content Exists Risk","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#, K::ContentFilter),
    ("deepseek", 400, r#"{"error":{"message":"This model's maximum context length is 65536 tokens.","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#, K::ContextOverflow),
    ("deepseek", 401, r#"{"error":{"message":"Authentication Fails","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#, K::Auth),
    ("deepseek", 402, r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#, K::QuotaExhausted),
    ("deepseek", 422, r#"{"error":{"message":"Failed to deserialize the JSON body into the target type","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#, K::InvalidRequest),
    ("deepseek", 429, r#"{"error":{"message":"Rate limit reached","type":"rate_limit_error","param":null,"code":"rate_limit_error"}}"#, K::RateLimit),
    ("deepseek", 503, r#"{"error":{"message":"Service is too busy. We advise users to temporarily switch.","type":"service_unavailable_error","param":null,"code":"service_unavailable_error"}}"#, K::ModelOverload),
    ("google", 400, r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}]"#, K::Auth),
    ("google", 404, r#"[{"error":{"code":404,"message":"models/gemini-9 is not found for API version v1main","status":"NOT_FOUND"}}]"#, K::ModelNotFound),
    ("google", 429, r#"[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED"}}]"#, K::RateLimit),
    ("google", 429, r#"{"error":{"message":"{\n  \"error\": {\n    \"code\": 429,\n    \"message\": \"Resource has been exhausted\",\n    \"status\": \"RESOURCE_EXHAUSTED\"\n  }\n}\n","code":429,"status":"Too Many Requests"}}"#, K::RateLimit),
    ("google", 503, r#"[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]"#, K::ModelOverload),
    ("anthropic", 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 200501 tokens > 200000 maximum"}}"#, K::ContextOverflow),
    ("anthropic", 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}"#, K::QuotaExhausted),
    ("anthropic", 404, r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-9"}}"#, K::ModelNotFound),
    ("anthropic", 529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, K::ModelOverload),
    ("groq", 400, r#"{"error":{"message":"tool call validation failed: parameters for tool f did not match schema","type":"invalid_request_error","code":"tool_use_failed"}}"#, K::StructuralParse),
    ("groq", 413, r#"{"error":{"message":"Request too large for model x on tokens per minute (TPM): Limit 6000, Requested 9000","type":"tokens","code":"rate_limit_exceeded"}}"#, K::RateLimit),
    ("mistral", 400, r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500"}"#, K::ModelNotFound),
    ("mistral", 429, r#"{"object":"error","message":"Requests rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}"#, K::RateLimit),
    ("xai", 400, r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***"}"#, K::Auth),
    ("xai", 403, r#"{"code":"The caller does not have permission","error":"Your team has either used all available credits or reached its monthly spending limit."}"#, K::QuotaExhausted),
    ("moonshot", 429, r#"{"error":{"message":"Your account is not active","type":"exceeded_current_quota_error"}}"#, K::QuotaExhausted),
    ("dashscope", 400, r#"{"error":{"message":"Access denied, please make sure your account is in good standing.","type":"Arrearage","param":null,"code":"Arrearage"}}"#, K::QuotaExhausted),
    ("dashscope", 400, r#"{"error":{"message":"Input data may contain inappropriate content.","type":"data_inspection_failed","param":null,"code":"data_inspection_failed"}}"#, K::ContentFilter),
    ("fireworks", 404, r#"{"error":{"object":"error","type":"invalid_request_error","code":"NOT_FOUND","message":"Model not found, inaccessible, and/or not deployed"}}"#, K::ModelNotFound),
    ("zhipu", 429, r#"{"error":{"code":"1113","message":"余额不足或无可用资源包,请充值。"}}"#, K::QuotaExhausted),
    ("zhipu", 429, r#"{"error":{"code":"1302","message":"您当前使用该API的并发数过高"}}"#, K::RateLimit),
];

#[rustfmt::skip]
const LOCAL: &[Row] = &[
    ("vllm", 400, r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.","type":"BadRequestError","param":null,"code":400}"#, K::ContextOverflow),
    ("vllm", 400, r#"{"error":{"message":"[{'type': 'missing', 'loc': ('body', 'messages')}]","type":"Bad Request","param":null,"code":400}}"#, K::InvalidRequest),
    ("vllm", 400, r#"{"error":{"message":"m","type":"BadRequestError","param":null,"code":"context_length_exceeded"}}"#, K::ContextOverflow),
    ("vllm", 401, r#"{"error":"Unauthorized"}"#, K::Auth),
    ("vllm", 404, r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}"#, K::ModelNotFound),
    ("vllm", 404, r#"{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":"model","code":404}}"#, K::ModelNotFound),
    ("vllm", 500, r#"{"error":{"message":"EngineCore encountered an issue.","type":"InternalServerError","param":null,"code":500}}"#, K::ModelOverload),
    ("vllm", 501, r#"{"error":{"message":"tool choice is not supported","type":"NotImplementedError","param":null,"code":501}}"#, K::InvalidRequest),
    ("sglang", 400, r#"{"object":"error","message":"The input (9000 tokens) is longer than the model's context length (8192 tokens).","type":"BadRequestError","param":null,"code":400}"#, K::ContextOverflow),
    ("tgi", 422, r#"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096","error_type":"validation"}"#, K::ContextOverflow),
    ("tgi", 429, r#"{"error":"Model is overloaded","error_type":"overloaded"}"#, K::ModelOverload),
    ("llama.cpp", 400, r#"{"error":{"code":400,"message":"request (5120 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":5120,"n_ctx":4096}}"#, K::ContextOverflow),
    ("llama.cpp", 400, r#"{"error":{"code":400,"message":"Failed to parse grammar","type":"invalid_request_error"}}"#, K::InvalidRequest),
    ("llama.cpp", 401, r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#, K::Auth),
    ("llama.cpp", 404, r#"{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}"#, K::InvalidRequest),
    ("llama.cpp", 500, r#"{"error":{"code":500,"message":"Compute error.","type":"server_error"}}"#, K::ModelOverload),
    ("llama.cpp", 501, r#"{"error":{"code":501,"message":"This server does not support embeddings.","type":"not_supported_error"}}"#, K::InvalidRequest),
    ("llama.cpp", 503, r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#, K::ModelOverload),
    ("ollama", 400, r#"{"error":"registry.ollama.ai/library/x:latest does not support tools"}"#, K::InvalidRequest),
    ("ollama", 400, r#"{"error":"{\"error\":{\"code\":400,\"message\":\"request exceeds\",\"type\":\"exceed_context_size_error\"}}"}"#, K::ContextOverflow),
    ("ollama", 404, r#"{"error":"model \"x\" not found, try pulling it first"}"#, K::ModelNotFound),
    ("ollama", 404, r#"{"error":{"message":"model \"x\" not found","type":"not_found_error","param":null,"code":null}}"#, K::ModelNotFound),
    ("ollama", 404, "404 page not found", K::InvalidRequest),
    ("ollama", 500, r#"{"error":"llama runner process has terminated: exit status 2"}"#, K::ModelOverload),
    ("ollama", 503, r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#, K::ModelOverload),
    ("lm studio", 400, r#"{"error":"The number of tokens to keep from the initial prompt is greater than the context length."}"#, K::ContextOverflow),
    ("lm studio", 404, r#"{"error":{"message":"Failed to load model \"x\". Error: Model not found","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#, K::ModelNotFound),
];

#[test]
fn what_servers_send_is_the_kind_that_it_means() {
    let tables = [OPENAI, AZURE, GATEWAYS, PROVIDERS, LOCAL];
    let mut wrong = Vec::new();
    for (provider, status, body, expected) in tables.into_iter().flatten() {
        let seen = kind(*status, body);
        if seen != *expected {
            wrong.push(format!("{provider} {status}: {seen}, not {expected}: {body}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn web_pages_are_judged_by_their_status_alone() {
    let page = |title: &str| {
        format!("\u{feff}\n<!DOCTYPE html><title>{title}</title>context length, model, billing")
    };
    for status in 520..=530 {
        assert_eq!(kind(status, &page("Web server is down")), K::ModelOverload, "{status}");
    }
    for (status, expected) in
        [(400, K::InvalidRequest), (403, K::Auth), (404, K::InvalidRequest), (429, K::RateLimit)]
    {
        let failure = failure(Some(status), &HeaderMap::new(), page("Nope").as_bytes());
        assert_eq!(failure.kind(), expected, "{status}");
        assert_eq!(failure.note(), Some("the body is a web page, not an API's answer"), "{status}");
        assert_eq!(failure.provider_message(), None, "{status}");
    }
}

#[test]
fn every_status_has_its_kind() {
    for (status, expected) in [
        (301, K::InvalidRequest),
        (400, K::InvalidRequest),
        (401, K::Auth),
        (402, K::QuotaExhausted),
        (403, K::Auth),
        (404, K::InvalidRequest),
        (408, K::TransientNetwork),
        (409, K::TransientNetwork),
        (413, K::ContextOverflow),
        (422, K::InvalidRequest),
        (425, K::TransientNetwork),
        (429, K::RateLimit),
        (500, K::ModelOverload),
        (501, K::InvalidRequest),
        (503, K::ModelOverload),
        (529, K::ModelOverload),
    ] {
        for body in ["", "<html>oops</html>", "{}", "null", "[]", "7", r#"{"error":{}}"#] {
            assert_eq!(kind(status, body), expected, "{status} {body}");
        }
    }
}

#[test]
fn a_code_goes_before_the_status_and_words_come_last() {
    let coded = |code: &str| {
        format!(r#"{{"error":{{"message":"m","type":null,"param":null,"code":{code}}}}}"#)
    };
    assert_eq!(kind(429, &coded(r#""insufficient_quota""#)), K::QuotaExhausted);
    assert_eq!(kind(400, &coded(r#""content_filter""#)), K::ContentFilter);
    assert_eq!(kind(200, &coded("429")), K::RateLimit);
    assert_eq!(kind(200, &coded(r#""502""#)), K::ModelOverload);
    let named = r#"{"error":{"message":"maximum context length","code":"invalid_value"}}"#;
    assert_eq!(kind(400, named), K::InvalidRequest);
    let unnamed =
        r#"{"error":{"message":"maximum context length","code":"invalid_request_error"}}"#;
    assert_eq!(kind(400, unnamed), K::ContextOverflow);
}

#[test]
fn an_error_inside_a_success_is_the_kind_that_it_says() {
    let kind = |error: &str| {
        let error: Value = serde_json::from_str(error).unwrap();
        in_band(&error, 200, &HeaderMap::new()).kind()
    };
    for (error, expected) in [
        (r#"{"code": 429, "message": "slow down"}"#, K::RateLimit),
        (r#"{"code": 402, "message": "no credits"}"#, K::QuotaExhausted),
        (r#"{"code": 502, "message": "Provider disconnected"}"#, K::ModelOverload),
        (r#"{"code": "server_error", "message": "Provider disconnected"}"#, K::ModelOverload),
        (r#"{"code": 400, "message": "bad"}"#, K::InvalidRequest),
        (r#"{"code": "invalid_value", "message": "bad"}"#, K::InvalidRequest),
        (r#"{"message": "boom"}"#, K::ModelOverload),
        (r#""model is busy""#, K::ModelOverload),
        (r#"{"message": "greater than the context length"}"#, K::ContextOverflow),
        (r#"{"message": "m", "type": "BadRequestError", "code": 400}"#, K::InvalidRequest),
        (r#"{"message": "m", "type": "InternalServerError", "code": 500}"#, K::ModelOverload),
        (r#"{"message": "m", "code": 403, "metadata": {"flagged_input": "x"}}"#, K::ContentFilter),
    ] {
        assert_eq!(kind(error), expected, "{error}");
    }
}

#[test]
fn what_a_server_behind_a_gateway_said_is_kept() {
    let body = r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":
        "{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens'\",\"param\":\"max_tokens\",\"code\":null}}"}}}"#;
    let failure = failure(Some(400), &HeaderMap::new(), body.as_bytes());
    assert_eq!(failure.param(), Some("max_tokens"));
    let message = failure.provider_message().unwrap();
    assert!(message.contains("Unsupported parameter"), "{message}");
}

#[test]
fn a_call_that_the_server_judged_is_the_model_s_answer() {
    let body = r#"{"error":{"message":"Failed to call a function.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"<function=f>{\"a\": 1}</function>"}}"#;
    let failure = failure(Some(400), &HeaderMap::new(), body.as_bytes());
    let answer = failure.answer().unwrap();
    assert_eq!(answer.content.as_deref(), Some(r#"<function=f>{"a": 1}</function>"#));
    assert_eq!(failed_call(body.as_bytes()), answer.content);
}

#[test]
fn nesting_without_end_is_not_followed() {
    let mut body = r#"{"error":"deep"}"#.to_owned();
    for _ in 0..6 {
        body = json!({ "error": body }).to_string();
    }
    assert_eq!(kind(500, &body), K::ModelOverload);
    assert_eq!(kind(500, &"[".repeat(100_000)), K::ModelOverload);
}

#[test]
fn a_body_that_is_cut_anywhere_is_read_without_panic() {
    for (provider, status, body, _) in
        [OPENAI, AZURE, GATEWAYS, PROVIDERS, LOCAL].into_iter().flatten()
    {
        for end in 0..body.len() {
            let cut = &body.as_bytes()[..end];
            let failure = failure(Some(*status), &HeaderMap::new(), cut);
            assert_eq!(failure.status(), Some(*status), "{provider}");
        }
    }
}
