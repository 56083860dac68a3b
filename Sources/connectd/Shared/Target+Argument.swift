import ArgumentParser
import NetworkTypes

extension Target {
    /// Reads the target of a command that takes targets only as arguments.
    /// - Throws: `ValidationError` with the target and what is wrong with it.
    init(argument text: String) throws {
        do throws(TargetError) {
            try self.init(parsing: text)
        } catch {
            throw ValidationError("target \"\(TerminalText.excerpt(text))\": \(error.detail)")
        }
    }
}
