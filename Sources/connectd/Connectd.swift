import ArgumentParser

@main
struct Connectd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connectd", abstract: "Can this machine connect to that target, and if not, exactly why?")
}
