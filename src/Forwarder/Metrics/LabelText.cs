using System.Text;

namespace KeyEvt.Forwarder.Metrics;

/// <summary>How is a state or reason of the program called in metrics and in info? <c>MemoryFull</c> is <c>memory_full</c>.</summary>
public static class LabelText
{
    /// <summary>All names, for people.</summary>
    /// <param name="except">Left out; null: none is.</param>
    public static string All<T>(T? except = null)
        where T : struct, Enum => string.Join(", ", Enum.GetValues<T>().Where(value => !value.Equals(except)).Select(Of));

    public static string Of<T>(T value)
        where T : struct, Enum
    {
        var text = new StringBuilder();
        foreach (var c in value.ToString())
        {
            if (char.IsUpper(c) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }
}
