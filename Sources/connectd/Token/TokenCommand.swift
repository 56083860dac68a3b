import AccessPolicy
import ArgumentParser
import Configuration

/// `connectd token`: commands for the tokens file.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Add a client's token to a tokens file.",
        discussion: """
            Examples:
              connectd token add ops --file /etc/connectd/tokens
              connectd token add grafana --file tokens --scope metrics --expires 2027-01-31
            """,
        subcommands: [TokenAddCommand.self])

    func run() throws {
        throw ValidationError("missing subcommand: use connectd token add NAME --file FILE")
    }
}

/// `connectd token add`: makes a token, prints it once, and appends its digest to the file.
struct TokenAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Make a token, print it once, and append its SHA-256 digest to a tokens file.",
        discussion: """
            The file keeps only the digest, so this is the only time that the token is shown. The file is created with \
            mode 600 if it does not exist. A running service reads it at its next reload.

            A token opens everything, unless --scope names what it opens: checks (checks, batches, routes), probe \
            (/v1/probe, /probe), metrics (/metrics, monitors) and admin (reload, /config).

            Exit status: 0; 1 if the file cannot be written; 2 on wrong usage, or if the file has that name already.

            Examples:
              connectd token add ops --file /etc/connectd/tokens
              connectd token add grafana --file tokens --scope metrics --expires 2027-01-31
              connectd token add partner --file tokens --scope checks,probe --profile public
              printf %s "$OLD_TOKEN" | connectd token add ci --file tokens --from-stdin
            """)

    @Argument(help: "The client's name, for logs and metrics.")
    var name: String

    @Option(help: ArgumentHelp("The tokens file.", valueName: "file"), completion: .file())
    var file: String

    @Option(help: "When the token expires: 2027-01-31 (its beginning in UTC) or 2027-01-31T18:00:00Z.")
    var expires: String?

    @Option(help: ArgumentHelp("What the token opens: checks, probe, metrics, admin.", valueName: "scopes"))
    var scope: String?

    @Option(
        help: "The policy profile of its requests, instead of the configuration's: rules, sidecar, internal or public.")
    var profile: String?

    @Flag(help: "Read the token from standard input instead of making one, to replace a line in plain text.")
    var fromStdin = false

    func validate() throws {
        do throws(ValueRefusal) {
            try TokenLine(name: name, expires: expires, scope: scope, profile: profile).validate()
        } catch {
            throw ValidationError("the token \(error.reason)")
        }
    }

    func run() throws {
        let token = fromStdin ? try TokenSource.standardInput() : TokenSource.random()
        let line = TokenLine(name: name, expires: expires, scope: scope, profile: profile)
        try TokenFileAppender(path: file).append(line.text(for: token), named: name)
        if fromStdin { return Output.line("added \(name) to \(TerminalText.clean(file))") }
        Output.line(String(decoding: token, as: UTF8.self))
        Output.errorLine(
            """
            connectd: added \(name) to \(TerminalText.clean(file)). Keep the token: the file has only its digest. \
            Reload the service to use it.
            """)
    }
}
