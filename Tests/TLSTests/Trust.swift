/// What most suites begin with: an authority, what it has signed for a server, and a client that trusts it.
struct Trust {
    let authority: Identity
    let identity: Identity
    let client: Client

    init() throws {
        authority = try Identity(Identity.Plan(name: "authority", alternativeNames: nil, isAuthority: true))
        identity = try Identity(issuer: authority)
        client = try Client(trusting: authority)
    }
}
