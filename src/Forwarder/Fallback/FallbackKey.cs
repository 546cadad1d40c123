using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder.Fallback;

/// <summary>Under which key does the fallback storage live? In database 0 of the upstream (DESIGN section 6).</summary>
public static class FallbackKey
{
    public const string Name = "REDIS_MODULE-key_evt_amqp-fallback_storage";

    public static ReadOnlySpan<byte> Utf8 => "REDIS_MODULE-key_evt_amqp-fallback_storage"u8;

    /// <summary>The key of a list in a given slot of a cluster: the name with a tag, always the same.</summary>
    public static string In(int slot) => $"{Name}{{{SlotTag.Of(slot)}}}";

    /// <summary>Whether a key is one of ours: the name itself, or with a tag behind it that chooses its slot.</summary>
    public static bool Is(ReadOnlySpan<byte> key) => key.StartsWith(Utf8) && (key.Length == Utf8.Length || key[Utf8.Length] == (byte)'{');
}
