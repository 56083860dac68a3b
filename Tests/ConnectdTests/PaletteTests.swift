import Testing
@testable import connectd

@Suite("Colors")
struct PaletteTests {
    @Test(
        "are only for terminals, unless the environment or the flag overrides it",
        arguments: [
            (Palette.Choice.auto, true, [:] as [String: String], true),
            (.auto, false, [:], false),
            (.auto, true, ["NO_COLOR": "1"], false),
            (.auto, true, ["NO_COLOR": ""], true),
            (.auto, true, ["TERM": "dumb"], false),
            (.auto, true, ["TERM": "xterm-256color"], true),
            (.always, false, ["NO_COLOR": "1"], true),
            (.never, true, [:], false),
        ])
    func choice(choice: Palette.Choice, isTerminal: Bool, environment: [String: String], isColored: Bool) {
        #expect(Palette(choice, isTerminal: isTerminal, environment: environment).isColored == isColored)
    }

    @Test("enclose only the word")
    func painting() {
        let palette = Palette(.always, isTerminal: false, environment: [:])
        #expect(palette.good("ok") == "\u{1B}[32mok\u{1B}[0m")
        #expect(Palette.plain.good("ok") == "ok")
    }
}
