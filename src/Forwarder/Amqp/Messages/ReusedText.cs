using System.Runtime.InteropServices;
using System.Text;

namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>
/// How does an id get into a property that wants a string, without a new string for each message? One string a length is kept and
/// written over. Why not the ordinary thing: an id of 45 characters is 112 bytes allocated for each event, as much as the broker
/// library itself needs (bench/Load, scenario forward). Sound only because the strings never leave the composer and its one
/// <c>BasicProperties</c>, which the library has serialised when the publish call returns.
/// </summary>
internal sealed class ReusedText
{
    private readonly string?[] _byLength = new string?[256];

    /// <param name="ascii">At most 255 bytes, as AMQP's short strings.</param>
    public string Write(ReadOnlySpan<byte> ascii)
    {
        if (ascii.IsEmpty) return "";

        var text = _byLength[ascii.Length] ??= new string('\0', ascii.Length);
        var characters = MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(text.AsSpan()), text.Length);
        Encoding.Latin1.GetChars(ascii, characters);
        return text;
    }
}
