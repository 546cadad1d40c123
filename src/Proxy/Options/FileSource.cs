using System.Text.Json;
using KeyEvt.Proxy.Text;

namespace KeyEvt.Proxy.Options;

/// <summary>
/// What does the JSON file of --config say? It is one object, which maps an option's name to a string or number; for a repeatable option also to an array of
/// them.
/// </summary>
internal static class FileSource
{
    private static readonly JsonDocumentOptions Lenient = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    public static GivenOptions Read(string path, List<string> faults)
    {
        var given = new GivenOptions();
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), Lenient);
            if (document.RootElement.ValueKind == JsonValueKind.Object) ReadObject(document.RootElement, path, given, faults);
            else faults.Add($"--config {Printable.Quote(path)} must hold one JSON object");
        }
        catch (JsonException e)
        {
            // Without the exception's own text, which may quote from the file.
            faults.Add($"--config {Printable.Quote(path)} is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            faults.Add($"--config {Printable.Quote(path)} cannot be read: {OptionInput.Reason(e)}");
        }
        return given;
    }

    private static void ReadObject(JsonElement root, string path, GivenOptions given, List<string> faults)
    {
        foreach (var property in root.EnumerateObject())
        {
            var source = $"{Printable.Quote(property.Name)} in {path}";
            if (OptionTable.Find(property.Name, OptionTable.All) is not { } option)
            {
                faults.Add($"{source} is not an option: see keyevt --help");
            }
            else if (given.ContainsKey(option.Name))
            {
                faults.Add($"{source} is given twice");
            }
            else if (ReadValues(property.Value, option.Repeatable) is { } values)
            {
                given[option.Name] = (source, values);
            }
            else
            {
                faults.Add($"{source} must be a string or a number{(option.Repeatable ? ", or an array of them that is not empty" : "")}");
            }
        }
    }

    private static List<string>? ReadValues(JsonElement value, bool repeatable)
    {
        if (!repeatable || value.ValueKind != JsonValueKind.Array) return ReadValue(value) is { } single ? [single] : null;
        var read = value.EnumerateArray().Select(ReadValue).OfType<string>().ToList();
        return read.Count == value.GetArrayLength() && read.Count > 0 ? read : null;
    }

    private static string? ReadValue(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };
}
