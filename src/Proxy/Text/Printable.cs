using System.Globalization;
using System.Text;

namespace KeyEvt.Proxy.Text;

/// <summary>How is a value of unknown content shown to people? Quoted, at most 64 bytes of it, everything unprintable escaped.</summary>
internal static class Printable
{
    private const int MaxBytes = 64;

    public static string Quote(string value) => Quote(Encoding.UTF8.GetBytes(value));

    public static string Quote(ReadOnlySpan<byte> value)
    {
        var text = new StringBuilder("'");
        foreach (var b in value[..Math.Min(value.Length, MaxBytes)])
        {
            if (b is (byte)'\'' or (byte)'\\') text.Append('\\').Append((char)b);
            else if (b is >= 0x20 and < 0x7f) text.Append((char)b);
            else text.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
        }
        return text.Append(value.Length > MaxBytes ? "'..." : "'").ToString();
    }
}
