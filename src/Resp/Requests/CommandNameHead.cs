// What are the first bytes of a command name that arrived in pieces?
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace KeyEvt.Resp.Requests;

/// <summary>The first 16 bytes of a command name, collected without an allocation.</summary>
internal struct CommandNameHead
{
    public const int Capacity = 16;

    private Storage _bytes;

    public int Length { get; private set; }

    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Span => ((ReadOnlySpan<byte>)_bytes)[..Length];

    public readonly bool IsFull => Length == Capacity;

    public void Clear() => Length = 0;

    public void Add(byte value)
    {
        if (Length < Capacity) _bytes[Length++] = value;
    }

    /// <summary>Appends as many of the bytes as there is room for, and ignores the rest.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        var taken = bytes[..Math.Min(bytes.Length, Capacity - Length)];
        taken.CopyTo(((Span<byte>)_bytes)[Length..]);
        Length += taken.Length;
    }

    /// <summary>
    /// Whether Redis takes this name for HTTP and closes the connection (<c>securityWarningCommand</c> in Redis). Redis compares C strings, so a NUL
    /// ends the name.
    /// </summary>
    public static bool IsForeignProtocol(ReadOnlySpan<byte> nameHead)
    {
        var end = nameHead.IndexOf((byte)0);
        if (end >= 0) nameHead = nameHead[..end];
        return System.Text.Ascii.EqualsIgnoreCase(nameHead, "post"u8) || System.Text.Ascii.EqualsIgnoreCase(nameHead, "host:"u8);
    }

    [InlineArray(Capacity)]
    private struct Storage
    {
        private byte _first;
    }
}
