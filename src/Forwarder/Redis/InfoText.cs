namespace KeyEvt.Forwarder.Redis;

/// <summary>What is the value of a field in a reply of INFO?</summary>
public static class InfoText
{
    /// <summary>Null: there is no such field.</summary>
    /// <param name="info">The whole reply: lines of <c>field:value</c>.</param>
    public static string? Find(string info, string field)
    {
        foreach (var range in info.AsSpan().Split('\n'))
        {
            var line = info.AsSpan()[range].TrimEnd('\r');
            if (line.StartsWith(field, StringComparison.Ordinal) && line.Length > field.Length && line[field.Length] == ':')
            {
                return line[(field.Length + 1)..].ToString();
            }
        }

        return null;
    }
}
