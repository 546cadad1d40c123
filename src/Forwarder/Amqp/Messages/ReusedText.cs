using System.Runtime.InteropServices;
using System.Text;

namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>
/// How does a message id get into a string property without a new string for each message? One string is kept for each length, and is overwritten. An
/// ordinary string for an id of 45 characters would allocate 112 bytes for each event, as much as the broker library itself needs (bench/Load,
/// scenario forward). Overwriting is safe because the strings never leave the composer and its one
/// <c>BasicProperties</c>, which the library has serialised when the publish call returns.
/// </summary>
internal sealed class ReusedText
{
    private readonly string?[] _byLength = new string?[256];

    /// <param name="ascii">At most 255 bytes, like AMQP's short strings.</param>
    public string Write(ReadOnlySpan<byte> ascii)
    {
        if (ascii.IsEmpty) return "";

        var text = _byLength[ascii.Length] ??= new string('\0', ascii.Length);
        var characters = MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(text.AsSpan()), text.Length);
        Encoding.Latin1.GetChars(ascii, characters);
        return text;
    }
}
