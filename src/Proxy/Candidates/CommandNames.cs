using System.Text;

namespace KeyEvt.Proxy.Candidates;

/// <summary>Which names concern the proxy?</summary>
internal static class CommandNames
{
    /// <summary>All of the proxy's own commands begin so, in any case.</summary>
    public static ReadOnlySpan<byte> Prefix => "key_evt_amqp."u8;

    public static ReadOnlySpan<byte> Module => "MODULE"u8;

    public static ReadOnlySpan<byte> Client => "CLIENT"u8;

    public static ReadOnlySpan<byte> Cluster => "CLUSTER"u8;

    /// <summary>The replaced module's name, as MODULE UNLOAD gives it.</summary>
    public static ReadOnlySpan<byte> ReplacedModule => "key_evt_amqp"u8;

    /// <summary>What the file name of the replaced module contains, as MODULE LOAD gives it.</summary>
    public static ReadOnlySpan<byte> ReplacedModuleFile => "redis_keyspace_amqp"u8;

    public static bool HasPrefix(ReadOnlySpan<byte> name) => name.Length >= Prefix.Length && Ascii.EqualsIgnoreCase(name[..Prefix.Length], Prefix);
}
