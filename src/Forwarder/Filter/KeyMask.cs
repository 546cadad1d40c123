namespace KeyEvt.Forwarder.Filter;

/// <summary>One key mask: does a key match it?</summary>
public sealed class KeyMask
{
    private readonly byte[] _bytes;

    private KeyMask(byte[] bytes) => _bytes = bytes;

    public ReadOnlyMemory<byte> Bytes => _bytes;

    public static KeyMask Parse(ReadOnlySpan<byte> mask) => new(mask.ToArray());

    public bool Matches(ReadOnlySpan<byte> key) => key.IndexOf(_bytes) >= 0;
}
