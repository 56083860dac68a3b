import Testing

@testable import HTTPServer

/// Compares the check of eight bytes at a time with the rule for single bytes.
@Suite struct FieldByteTests {
    @Test func everyByteHasTheSameVerdictAtEveryOffset() {
        for byte in UInt8.min...UInt8.max {
            let isAllowed = byte == 0x09 || (byte >= 0x20 && byte != 0x7F)
            for count in 1...18 {
                for place in 0..<count {
                    var field = [UInt8](repeating: UInt8(ascii: "a"), count: count)
                    field[place] = byte
                    #expect(field.withUnsafeBufferPointer(ASCII.areFieldValue) == isAllowed, "\(byte) at \(place)")
                }
            }
        }
    }

    @Test func tabsAndNonASCIIBytesAreAccepted() {
        let field: [UInt8] = [0x09, 0x80, 0xFF, 0x20, 0x7E, 0x09, 0x81, 0x21, 0x09]
        #expect(field.withUnsafeBufferPointer(ASCII.areFieldValue))
        #expect(!(field + [0x1F]).withUnsafeBufferPointer(ASCII.areFieldValue))
        #expect([UInt8]().withUnsafeBufferPointer(ASCII.areFieldValue))
    }

    @Test func tokensContainTheBytesOfTheGrammar() {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~".utf8)
        for byte in UInt8.min...UInt8.max { #expect(ASCII.isToken(byte) == allowed.contains(byte), "\(byte)") }
        let name = Array("Content-Type: x".utf8)
        #expect(name.withUnsafeBufferPointer(ASCII.tokenLength) == 12)
    }
}
