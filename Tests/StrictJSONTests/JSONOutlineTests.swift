import StrictJSON
import Testing

/// Documents whose elements are decoded later.
@Suite struct JSONOutlineTests {
    private func outline(_ text: String, maximumElements: Int = 10) throws -> JSONOutline {
        try JSONOutline.parse(Array(text.utf8), deferring: "checks", maximumElements: maximumElements)
    }

    private func elements(_ text: String) throws -> [String] {
        let bytes = Array(text.utf8)
        return try (outline(text).elements ?? []).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    private func failure(_ text: String) -> JSONSyntaxError? {
        do throws(JSONSyntaxError) {
            _ = try JSONOutline.parse(Array(text.utf8), deferring: "checks", maximumElements: 10)
            return nil
        } catch {
            return error
        }
    }

    @Test func elementsAreFoundAsTheyWereWritten() throws {
        let text = #" {"a":1, "checks" : [ {"x":[1,{"y":"]}"}]} ,"\"\u00e9", -1.5e3,null , [] ] ,"b":true}"#
        #expect(try elements(text) == [#"{"x":[1,{"y":"]}"}]}"#, #""\"\u00e9""#, "-1.5e3", "null", "[]"])
        let document = try outline(text).document
        #expect(try document == JSONValue.parse(Array(#"{"a":1,"checks":[],"b":true}"#.utf8)))
    }

    @Test func anEmptyArrayHasNoElements() throws {
        #expect(try outline(#"{"checks":[ ]}"#).elements == [])
        #expect(try outline(#"{"other":[1]}"#).elements == nil)
        #expect(try outline(#"{"checks":{"a":1}}"#).elements == nil)
    }

    @Test func elementsBeyondTheLimitAreOnlyCounted() throws {
        let outline = try outline(#"{"checks":[1,2,3,4]}"#, maximumElements: 2)
        #expect(outline.elementCount == 4 && outline.elements?.count == 2)
    }

    @Test func whatConcernsOneElementIsLeftToItsReader() throws {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(try elements(#"{"checks":[{"a":1,"a":2},1e999,\#(deep)]}"#).count == 3)
    }

    @Test(arguments: [
        #"{"checks":[{"a":}]}"#, #"{"checks":[1,]}"#, #"{"checks":[1 2]}"#, #"{"checks":[{"a":1,}]}"#,
        #"{"checks":["\x"]}"#,
        #"{"checks":["\ud800"]}"#, #"{"checks":[tru]}"#, #"{"checks":[01]}"#, #"{"checks":[{a:1}]}"#, #"{"checks":[1"#,
        #"{"checks":["a"#, #"{"checks":[]}x"#, "{\"checks\":[\"\n\"]}", #"{"checks":[],"checks":[]}"#, "", "{",
        #"{"checks":[{"a"1}]}"#,
    ])
    func wrongGrammarIsRefused(_ text: String) {
        #expect(failure(text) != nil)
    }

    @Test func aFailureHasThePointerOfItsElement() {
        #expect(failure(#"{"checks":[1,{"a":tru}]}"#)?.pointer == "/checks/1")
    }

    @Test func nestingIsLimited() {
        let text = #"{"checks":["# + String(repeating: "[", count: 100_000)
        #expect(failure(text)?.detail.contains("too deeply") == true)
        #expect(failure(String(repeating: #"{"checks":["#, count: 100_000))?.detail.contains("too deeply") == true)
    }

    @Test func anotherDocumentKeepsItsType() throws {
        #expect(try outline("[1,[2]]").document.kindDescription == "an array")
        #expect(try outline("7").document == .integer(7))
    }

    @Test func invalidTextIsRefused() {
        let bytes = Array(#"{"checks":[""#.utf8) + [0xFF] + Array(#""]}"#.utf8)
        #expect(throws: JSONSyntaxError.self) {
            try JSONOutline.parse(bytes, deferring: "checks", maximumElements: 10)
        }
    }
}
