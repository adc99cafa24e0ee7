//! Where a call goes on when its own endpoint cannot help.

use std::{
    any::Any,
    collections::hash_map::DefaultHasher,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, LazyLock},
};

use super::guards::Guards;
use crate::policy::{Candidate, RetryPolicy};

/// A model at a server, with the client that asks it: where a call may go on. Cheap to clone.
///
/// With the feature `openai`, [`openai::endpoint`](crate::openai::endpoint) makes one that
/// [`Attempt::chat`](crate::Attempt::chat) can ask.
#[derive(Clone)]
pub struct Endpoint(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    name: String,
    model: String,
    context: Option<u32>,
    /// Tells endpoints apart.
    number: u64,
    client: Arc<dyn Any + Send + Sync>,
    guards: Guards,
    /// What the adapter asks it through, if there is one for its client.
    #[cfg(feature = "openai")]
    adapter: Option<Arc<dyn Any + Send + Sync>>,
}

impl Endpoint {
    /// The model `model` at the endpoint `name`, asked by hand through `client`, which is of any type. Endpoints of one
    /// name are one: what is wrong with the account of one is wrong with all.
    ///
    /// ```
    /// use fcretry::{Endpoint, Route};
    ///
    /// #[derive(Debug)]
    /// struct MyClient;
    ///
    /// let route = Route::new([Endpoint::new("spare", "mini", MyClient).context(32_000)]);
    /// let endpoint = &route.endpoints()[0];
    /// assert_eq!((endpoint.name(), endpoint.model()), ("spare", "mini"));
    /// assert!(endpoint.client::<MyClient>().is_some());
    /// ```
    pub fn new(
        name: impl Into<String>,
        model: impl Into<String>,
        client: impl Any + Send + Sync,
    ) -> Self {
        let name = name.into();
        let number = number_of(&name);
        let client = Arc::new(client);
        Self(Arc::new(Parts {
            name,
            model: model.into(),
            context: None,
            number,
            client,
            guards: Guards::default(),
            #[cfg(feature = "openai")]
            adapter: None,
        }))
    }

    /// An endpoint that an adapter asks. `number` says which of its endpoints this is.
    #[cfg(feature = "openai")]
    pub(crate) fn adapted(
        name: String,
        model: String,
        number: u64,
        client: Arc<dyn Any + Send + Sync>,
        adapter: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        let guards = Guards::default();
        let adapter = Some(adapter);
        Self(Arc::new(Parts { name, model, context: None, number, client, guards, adapter }))
    }

    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The same under another name: what reports call it.
    pub fn named(self, name: impl Into<String>) -> Self {
        self.with(|parts| parts.name = name.into())
    }

    /// How many tokens the model takes, its answer included. A request that was too long for another model comes here
    /// only if this is known, and more. Default: not known.
    pub fn context(self, tokens: u32) -> Self {
        self.with(|parts| parts.context = Some(tokens))
    }

    pub(super) fn with_guards(self, change: impl FnOnce(&mut Guards)) -> Self {
        self.with(|parts| change(&mut parts.guards))
    }

    pub(super) fn guards(&self) -> &Guards {
        &self.0.guards
    }

    /// What tells it from others: a hash of its name, or of its address and account.
    pub(super) fn number(&self) -> u64 {
        self.0.number
    }

    /// What reports call it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The model to ask there.
    pub fn model(&self) -> &str {
        &self.0.model
    }

    /// How many tokens the model takes, if that is known.
    pub fn context_size(&self) -> Option<u32> {
        self.0.context
    }

    /// The client, if it is of the type `C`.
    pub fn client<C: Any>(&self) -> Option<&C> {
        self.0.client.downcast_ref()
    }

    /// What the adapter asks it through, if it is of the type `A`.
    #[cfg(feature = "openai")]
    pub(crate) fn adapter<A: Any>(&self) -> Option<&A> {
        self.0.adapter.as_deref()?.downcast_ref()
    }

    fn candidate(&self, dead: &[u64]) -> Candidate {
        candidate(self.0.number, self.0.context, dead)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("name", &self.0.name)
            .field("model", &self.0.model)
            .field("context", &self.0.context)
            .finish_non_exhaustive()
    }
}

/// Endpoints in the order in which a call tries them, after its own model and the policy's `fallback` models. Named in the
/// policy: `route(BACKUPS)`. Cheap to clone.
///
/// A call goes on with the next endpoint that can help; one that was passed over is not come back to. When a key is
/// wrong or a quota used up, no other model of that endpoint is asked any more in the call. When the request is too long,
/// only a model whose context is known, and larger, is. What was counted, fed back and raised at one endpoint does not
/// go with the call to the next.
#[derive(Clone, Debug, Default)]
pub struct Route(Arc<[Endpoint]>);

impl Route {
    /// A route over `endpoints`, in this order.
    pub fn new(endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        Self(endpoints.into_iter().collect())
    }

    /// The endpoints, in order.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.0
    }

    /// The endpoint of the candidate `index`, if it is one of the route's: they follow the ask's own model and the
    /// policy's.
    pub(super) fn at(&self, index: usize, policy: &RetryPolicy) -> Option<&Endpoint> {
        self.0.get(index.checked_sub(1 + policy.fallback().len())?)
    }
}

/// What the key `route(EXPR)` takes: a [`Route`], a `LazyLock` or an `Arc` of one, or a reference to any of them. A clone is
/// taken when the call begins, so that nothing of the expression stays borrowed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `Route`",
    label = "no `Route`, nor a `LazyLock`, an `Arc` or a reference that leads to one",
    note = "name a `fcretry::Route`: `static BACKUPS: LazyLock<Route> = LazyLock::new(|| Route::new([..]));`"
)]
pub trait AsRoute {
    /// The route.
    fn route(&self) -> Route;
}

impl AsRoute for Route {
    fn route(&self) -> Route {
        self.clone()
    }
}

impl<R: AsRoute + ?Sized> AsRoute for &R {
    fn route(&self) -> Route {
        R::route(self)
    }
}

impl<R: AsRoute + ?Sized> AsRoute for Arc<R> {
    fn route(&self) -> Route {
        R::route(self)
    }
}

impl<R: AsRoute, F: FnOnce() -> R> AsRoute for LazyLock<R, F> {
    fn route(&self) -> Route {
        R::route(self)
    }
}

/// Where an ask may be made, in order: at its own endpoint, whose number is `own`, and then along the route.
pub(super) fn candidates(
    policy: &RetryPolicy,
    route: Option<&Route>,
    own: u64,
    dead: &[u64],
) -> Vec<Candidate> {
    let own = std::iter::repeat_n(candidate(own, None, dead), 1 + policy.fallback().len());
    let along = route.iter().flat_map(|route| route.endpoints());
    own.chain(along.map(|endpoint| endpoint.candidate(dead))).collect()
}

fn candidate(endpoint: u64, context: Option<u32>, dead: &[u64]) -> Candidate {
    Candidate { endpoint, context, is_dead: dead.contains(&endpoint) }
}

/// The number of the endpoint that is known by `what`. The numbers of others differ, but for an accident that nobody sees.
pub(crate) fn number_of(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    // 0 is an endpoint of which nothing is known: that of a request made by hand.
    hasher.finish().max(1)
}
