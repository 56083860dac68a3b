import ArgumentParser
import CLinux

/// `--color`, for the commands that write for people.
struct ColorOption: ParsableArguments {
    @Option(help: "Colours: auto (on a terminal, unless NO_COLOR is set or TERM is dumb), always or never.")
    var color: Palette.Choice = .auto

    /// The colours for a descriptor: isatty(3).
    func palette(for descriptor: Int32) -> Palette {
        Palette(color, isTerminal: isatty(descriptor) == 1, environment: Environment.all)
    }
}

extension Palette.Choice: ExpressibleByArgument {}
