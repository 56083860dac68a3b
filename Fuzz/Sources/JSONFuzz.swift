internal import StrictJSON

/// Documents of any bytes.
enum JSONFuzz {
    private enum Family: String, CaseIterable { case any, ipv4, ipv6 }

    /// A rejected document has an error position within it. An accepted one is UTF-8, and reads back unchanged after it was
    /// written.
    static func run(_ bytes: [UInt8]) {
        do throws(JSONSyntaxError) {
            let value = try JSONValue.parse(bytes)
            expect(String(validating: bytes, as: UTF8.self) != nil, "bad UTF-8 was accepted")
            expect(rewritten(value) == value, "what was written reads back differently")
            compareOutline(of: bytes, with: value)
            decode(value)
        } catch {
            expect((0...bytes.count).contains(error.offset), "an offset outside of the document")
            expect(error.line >= 1 && error.column >= 1, "no such position")
            expect(isPointer(error.pointer), "not a JSON pointer: \(error.pointer)")
            expectMessage(error.detail)
        }
        printBytes(bytes)
    }

    private static func rewritten(_ value: JSONValue) -> JSONValue {
        var writer = JSONWriter(reserving: 0)
        writer.value(value)
        let bytes = writer.finish()
        do throws(JSONSyntaxError) {
            return try JSONValue.parse(bytes)
        } catch {
            fatalError("what was written does not read back: \(error)")
        }
    }

    /// An outline finds the elements of a valid document's array, without decoding them.
    private static func compareOutline(of bytes: [UInt8], with value: JSONValue) {
        do throws(JSONSyntaxError) {
            let outline = try JSONOutline.parse(bytes, deferring: "checks", maximumElements: 100)
            guard case .object(let object) = value, case .array(let items)? = object["checks"] else {
                expect(outline.elements == nil, "elements of an array that is not there")
                return
            }
            expect(outline.elementCount == items.count, "another number of elements")
            expect(outline.elements?.count == min(items.count, 100), "elements are missing")
            for (range, item) in zip(outline.elements ?? [], items) {
                expect(try JSONValue.parse(Array(bytes[range])) == item, "another element")
            }
        } catch {
            fatalError("an outline of a valid document fails: \(error)")
        }
    }

    /// The escaped form is never longer than its limit, and always a JSON string.
    private static func printBytes(_ bytes: [UInt8]) {
        var writer = JSONWriter(reserving: 0)
        writer.printable(bytes, limit: 100)
        do throws(JSONSyntaxError) {
            guard case .string(let text) = try JSONValue.parse(writer.finish()) else { fatalError("not a string") }
            expect(text.utf8.count <= 100, "the limit was passed")
        } catch {
            fatalError("network bytes do not read back: \(error)")
        }
    }

    private static func decode(_ value: JSONValue) {
        do throws(JSONProblems) {
            _ = try JSONObjectReader.decode(value) { reader -> Int? in
                reader.require("target")
                _ = reader.string("target")
                _ = reader.stringMap("labels", maximumMembers: 8)
                _ = reader.bool("half_open")
                _ = reader.object("resolve") { $0.enumeration("family", Family.self) }
                _ = reader.array("dialog", count: 0...4) { step in step.object { $0.string("send") } }
                return reader.integer("timeout_ms", in: 1...60000) ?? 5000
            }
        } catch {
            expect(!error.isEmpty && error.problems.count <= JSONProblems.limit, "problems without bounds")
            expectPlaces(of: error.problems, in: value)
        }
    }
}
