using System.Globalization;
using System.Text;
using KeyEvt.Forwarder.Files;
using KeyEvt.Proxy.Parameters;
using KeyEvt.Proxy.Text;

namespace KeyEvt.Proxy.Options;

/// <summary>What was given for one option, and by which source? Reads the usual kinds of values. A wrong value becomes a fault that names the source.</summary>
/// <param name="source">The option as the user wrote it: <c>--window</c>, <c>KEYEVT_WINDOW</c>, <c>"window" in keyevt.json</c>.</param>
/// <param name="values">At least one; exactly one unless the option is repeatable.</param>
internal sealed class OptionInput(string source, IReadOnlyList<string> values, List<string> faults)
{
    public string Source => source;

    public IReadOnlyList<string> Values => values;

    public string Value => values[0];

    /// <summary>Reports a fault. The text must never contain a value that may be a password.</summary>
    public void Fault(string text) => faults.Add($"{source} {text}");

    public int? Integer(int min, int max) => (int?)Long(min, max);

    public long? Long(long min, long max) => ConfigParameters.ReadInteger(source, Bytes(Value), min, max, faults);

    public string? ShortString() => ConfigParameters.ReadShortString(source, Bytes(Value), faults);

    /// <summary>Seconds; a fraction is allowed.</summary>
    public TimeSpan? Seconds(double min, double max)
    {
        if (double.TryParse(Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds >= min && seconds <= max)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        Fault(string.Create(CultureInfo.InvariantCulture, $"must be {min} to {max} seconds, not {Printable.Quote(Value)}"));
        return null;
    }

    /// <summary>A number of bytes; k, m and g stand for 1024, 1024² and 1024³.</summary>
    public long? ByteSize(long min, long max)
    {
        var digits = Value.TrimEnd('b', 'B');
        var shift = digits.Length == 0 ? 0 : char.ToLowerInvariant(digits[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        if (shift > 0) digits = digits[..^1];
        if (long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= max >> shift && number << shift >= min)
        {
            return number << shift;
        }

        Fault($"must be a number of bytes with k, m or g behind it, {min} to {max}, not {Printable.Quote(Value)}");
        return null;
    }

    /// <summary>One of several known words, in any case.</summary>
    public T? Word<T>(params ReadOnlySpan<(string Word, T Meaning)> words) where T : struct
    {
        var known = new List<string>();
        foreach (var (word, meaning) in words)
        {
            if (word.Equals(Value, StringComparison.OrdinalIgnoreCase)) return meaning;
            known.Add(word);
        }
        Fault($"must be one of {string.Join(", ", known)}, not {Printable.Quote(Value)}");
        return null;
    }

    /// <summary>The password in the file that the value names; see <see cref="Secret"/>.</summary>
    public Secret? SecretFromFile()
    {
        try
        {
            return Secret.FromFile(Value);
        }
        catch (IOException e)
        {
            Fault($"names the file {Printable.Quote(Value)}, {e.Message}");
            return null;
        }
    }

    internal static string Reason(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException => "access is denied",
        _ => e.Message,
    };

    public static ReadOnlySpan<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
