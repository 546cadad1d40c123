using System.Text;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Proxy.Parameters;

namespace KeyEvt.Proxy.Options;

/// <summary>
/// What does the load line of the replaced module say?
/// <code>flags [host [port [username [password [heartbeat [exchange [routing_key [delivery_mode [fallback_storage_size [keymask ...]]]]]]]]]]</code>
/// Any beginning of the list may be given. The command MODULE LOAD has the same words as arguments, and the same code reads what follows the flags.
/// </summary>
internal sealed class LoadModuleArguments
{
    private readonly EventClass? _events;
    private readonly ConfigParameters _parameters;

    private LoadModuleArguments(EventClass? events, ConfigParameters parameters) => (_events, _parameters) = (events, parameters);

    /// <summary>Splits the line into words and reads them. Null if there is a fault, which was reported.</summary>
    public static LoadModuleArguments? ParseLine(OptionInput input)
    {
        if (SplitWords(input.Value) is not { } words)
        {
            input.Fault("has a quote that does not end, or text directly behind a closing quote");
            return null;
        }
        var faults = new List<string>();
        var line = Parse(words.AsSpan(WordsBeforeFlags(words)), faults);
        foreach (var fault in faults) input.Fault(fault);
        return faults.Count == 0 ? line : null;
    }

    /// <summary>Puts the parameters into a configuration. Any host is allowed, since this is the operator's own line.</summary>
    public ForwarderConfig ApplyTo(ForwarderConfig current) => _parameters.ApplyTo(current) with { Events = _events ?? current.Events };

    private static LoadModuleArguments Parse(ReadOnlySpan<ReadOnlyMemory<byte>> args, List<string> faults)
    {
        if (args.IsEmpty) return new LoadModuleArguments(null, new ConfigParameters());
        if (!NotifyFlags.TryParse(Encoding.Latin1.GetString(args[0].Span), out var events, out var error)) faults.Add($"flags: {error}");
        return new LoadModuleArguments(events, ConfigParameters.Parse(args[1..], faults));
    }

    /// <summary>
    /// How many words stand in front of the flags. A line that was copied whole from redis.conf begins with the directive and the path of the library.
    /// </summary>
    private static int WordsBeforeFlags(ReadOnlyMemory<byte>[] words)
    {
        var at = words.Length > 0 && Encoding.Latin1.GetString(words[0].Span).Equals("loadmodule", StringComparison.OrdinalIgnoreCase) ? 1 : 0;
        return at < words.Length && words[at].Span.EndsWith(".so"u8) ? at + 1 : at;
    }

    /// <summary>
    /// Splits a line as Redis splits a line of its configuration (sdssplitargs). Words are separated by blanks. In double quotes \n \r \t \b \a \xHH and
    /// \anything are escapes; in single quotes only \' is. A closing quote ends the word. Null when a quote does not end, or when text follows directly behind
    /// a closing quote.
    /// </summary>
    internal static ReadOnlyMemory<byte>[]? SplitWords(string line)
    {
        var words = new List<ReadOnlyMemory<byte>>();
        var text = Encoding.UTF8.GetBytes(line);
        var at = 0;
        while (true)
        {
            while (at < text.Length && IsBlank(text[at])) at++;
            if (at == text.Length) return [.. words];
            if (ReadWord(text, ref at) is not { } word) return null;
            words.Add(word);
        }
    }

    private static byte[]? ReadWord(ReadOnlySpan<byte> text, ref int at)
    {
        var word = new List<byte>();
        for (; at < text.Length && !IsBlank(text[at]); at++)
        {
            var quote = text[at];
            if (quote is not ((byte)'"' or (byte)'\''))
            {
                word.Add(quote);
                continue;
            }
            if (!ReadQuoted(text, ref at, quote, word)) return null;
            return at == text.Length || IsBlank(text[at]) ? [.. word] : null;
        }
        return [.. word];
    }

    /// <summary>Reads from the opening quote to behind the closing one. False: there is no closing quote.</summary>
    private static bool ReadQuoted(ReadOnlySpan<byte> text, ref int at, byte quote, List<byte> word)
    {
        for (at++; at < text.Length; at++)
        {
            if (text[at] == quote)
            {
                at++;
                return true;
            }
            var escape = text[at] == (byte)'\\' && at + 1 < text.Length && (quote == (byte)'"' || text[at + 1] == quote);
            if (!escape) word.Add(text[at]);
            else word.Add(ReadEscape(text, ref at));
        }
        return false;
    }

    /// <summary>Reads an escape, from the backslash to the escape's last byte.</summary>
    private static byte ReadEscape(ReadOnlySpan<byte> text, ref int at)
    {
        at++;
        if (text[at] == (byte)'x' && at + 2 < text.Length
            && byte.TryParse(text.Slice(at + 1, 2), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out var value))
        {
            at += 2;
            return value;
        }
        return text[at] switch { (byte)'n' => (byte)'\n', (byte)'r' => (byte)'\r', (byte)'t' => (byte)'\t', (byte)'b' => (byte)'\b', (byte)'a' => 7, var other => other };
    }

    private static bool IsBlank(byte b) => b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or 0;
}
