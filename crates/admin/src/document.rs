//! The OpenAPI document, made from the types of handlers.

use bartizan_auth::Action;
use bartizan_core::RefusalKind;
use serde::Serialize;
use utoipa::openapi::path::{
    Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{Ref, Schema};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, PathItem,
    Paths, RefOr, Required, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::widths::widen;

type Schemas = Vec<(String, RefOr<Schema>)>;

/// What was gathered of the routes so far.
#[derive(Default)]
pub(crate) struct Document {
    paths: Paths,
    schemas: Schemas,
}

/// What a route takes.
pub(crate) struct Takes {
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    schemas: Schemas,
    /// The media type of the answer.
    answered: &'static str,
}

const JSON: &str = "application/json";

impl Takes {
    /// Says that the answer is no JSON.
    pub(crate) const fn answered_as(mut self, media: &'static str) -> Self {
        self.answered = media;
        self
    }
}

/// A refusal, as OpenAI's clients and LiteLLM's read it.
#[derive(Serialize, ToSchema)]
struct Failure {
    /// What is wrong, and the mend.
    error: FailureDetail,
}

#[derive(Serialize, ToSchema)]
struct FailureDetail {
    /// For people.
    message: String,
    /// The kind.
    r#type: String,
    /// The field at fault.
    param: Option<String>,
    /// For programs.
    code: String,
}

const SCHEME: &str = "key";

impl Document {
    pub(crate) fn add<O: ToSchema>(
        &mut self,
        path: &str,
        summary: &str,
        action: Action,
        methods: &[HttpMethod],
        takes: Takes,
    ) {
        self.schemas.extend(takes.schemas);
        let answer = refer::<O>(&mut self.schemas);
        let failure = refer::<Failure>(&mut self.schemas);
        let mut item = self.paths.paths.remove(path).unwrap_or_default();
        for method in methods {
            let id = operation_id(path, method, methods.first() != Some(method));
            let mut operation = operation(action, (takes.answered, &answer), &failure)
                .operation_id(Some(id))
                .summary(Some(summary))
                .tag(path.split('/').nth(1).unwrap_or_default())
                .request_body(takes.body.clone());
            for parameter in &takes.parameters {
                operation = operation.parameter(parameter.clone());
            }
            item.merge_operations(PathItem::new(method.clone(), Operation::from(operation)));
        }
        self.paths.paths.insert(path.to_owned(), item);
    }

    pub(crate) fn build(&self) -> OpenApi {
        let mut components = ComponentsBuilder::new();
        for (name, schema) in &self.schemas {
            let mut schema = schema.clone();
            widen(&mut schema);
            components = components.schema(name.clone(), schema);
        }
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A virtual key, or the master key"))
            .build();
        components = components.security_scheme(SCHEME, SecurityScheme::Http(bearer));
        OpenApiBuilder::new()
            .info(
                InfoBuilder::new()
                    .title("Bartizan management API")
                    .version(env!("CARGO_PKG_VERSION")),
            )
            .paths(self.paths.clone())
            .components(Some(components.build()))
            .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(
                SCHEME,
                [],
            )]))
            .build()
    }
}

fn operation(
    action: Action,
    answer: (&str, &RefOr<Schema>),
    failure: &RefOr<Schema>,
) -> OperationBuilder {
    let says = |description: &str, media: &str, schema: &RefOr<Schema>| {
        let content = ContentBuilder::new().schema(Some(schema.clone())).build();
        ResponseBuilder::new()
            .description(description)
            .content(media, content)
            .build()
    };
    let mut operation = OperationBuilder::new()
        .description(Some(format!("Needs `{}`.", action.as_str())))
        .response("200", says("Done.", answer.0, answer.1));
    let refusals: &[(RefusalKind, &str)] = &[
        (
            RefusalKind::BadRequest,
            "What was sent is not valid; `param` names the field.",
        ),
        (
            RefusalKind::Unauthorized,
            "There is no key, or it opens nothing.",
        ),
        (
            RefusalKind::Forbidden,
            "The key's role, type, address or route does not allow it, or a page of another site asks.",
        ),
        (
            RefusalKind::NotFound,
            "There is no such thing, or none that the key sees.",
        ),
        (
            RefusalKind::Conflict,
            "It was changed meanwhile: read it again.",
        ),
        (
            RefusalKind::TooLarge,
            "The body is over 1 MiB, or has too many values.",
        ),
        (
            RefusalKind::Unavailable,
            "Keys or records can't be kept at the moment; the code tells whether anything was changed.",
        ),
    ];
    for (kind, description) in refusals {
        let about_bodies = matches!(kind, RefusalKind::Conflict | RefusalKind::TooLarge);
        if action.changes() || !about_bodies {
            let status = kind
                .status(bartizan_core::Dialect::Json)
                .as_u16()
                .to_string();
            operation = operation.response(status, says(description, JSON, failure));
        }
    }
    operation
}

/// What a query is read into: a parameter a field.
pub(crate) fn query<I: ToSchema>() -> Takes {
    let mut schemas = Schemas::new();
    I::schemas(&mut schemas);
    let mut parameters = Vec::new();
    if let RefOr::T(Schema::Object(object)) = I::schema() {
        for (name, mut schema) in object.properties {
            widen(&mut schema);
            let required = if object.required.contains(&name) {
                Required::True
            } else {
                Required::False
            };
            let description = match &schema {
                RefOr::T(Schema::Object(field)) => field.description.clone(),
                _ => None,
            };
            parameters.push(
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(ParameterIn::Query)
                    .required(required)
                    .description(description)
                    .schema(Some(schema))
                    .build(),
            );
        }
    }
    Takes {
        parameters,
        body: None,
        schemas,
        answered: JSON,
    }
}

/// What a body is read into, and what the path names.
pub(crate) fn body<I: ToSchema>(path: &str) -> Takes {
    let mut schemas = Schemas::new();
    let schema = refer::<I>(&mut schemas);
    // Nothing is read as `{}`.
    let required = match I::schema() {
        RefOr::T(Schema::Object(object)) if object.required.is_empty() => Required::False,
        _ => Required::True,
    };
    let named = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters = named.map(|name| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(String::schema()))
            .build()
    });
    let content = ContentBuilder::new().schema(Some(schema)).build();
    Takes {
        parameters: parameters.collect(),
        body: Some(
            RequestBodyBuilder::new()
                .content("application/json", content)
                .required(Some(required))
                .build(),
        ),
        schemas,
        answered: JSON,
    }
}

fn refer<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

fn operation_id(path: &str, method: &HttpMethod, other: bool) -> String {
    let words = path
        .split(['/', '{', '}', '.'])
        .filter(|word| !word.is_empty());
    let mut id = words.collect::<Vec<_>>().join("_");
    if other {
        id.push_str(match method {
            HttpMethod::Patch => "_by_patch",
            HttpMethod::Delete => "_by_delete",
            _ => "_too",
        });
    }
    id
}
