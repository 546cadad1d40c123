// In which slot of a cluster is a key?
using System.Text;

namespace KeyEvt.Servers;

/// <summary>CRC16 (XMODEM) of the key or of what stands in its first braces, modulo 16384: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/.</summary>
public static class ClusterSlot
{
    public const int Count = 16384;

    public static int Of(string key)
    {
        var open = key.IndexOf('{', StringComparison.Ordinal);
        var close = open < 0 ? -1 : key.IndexOf('}', open + 1);
        var hashed = close > open + 1 ? key[(open + 1)..close] : key;
        var crc = 0;
        foreach (var b in Encoding.Latin1.GetBytes(hashed))
        {
            crc ^= b << 8;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
        }
        return crc & (Count - 1);
    }

    /// <summary>A key in this slot, the same one each time.</summary>
    public static string KeyIn(int slot, string prefix = "k")
    {
        for (var i = 0; ; i++)
        {
            var key = $"{prefix}:{i}";
            if (Of(key) == slot) return key;
        }
    }
}
