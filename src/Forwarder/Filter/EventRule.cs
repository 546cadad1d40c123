using System.Globalization;
using System.Text;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Filter;

/// <summary>
/// One rule, such as <c>events=xe db=0 mask=^session:</c>: events of these classes, in this database, whose keys match. <c>events</c> may be left out
/// (everything that <c>A</c> stands for), and so may <c>db</c> (every database). <c>mask</c> comes last, and is the rest of the text, blanks
/// included.
/// </summary>
/// <param name="Database">Null for every database.</param>
public sealed record EventRule(EventClass Events, int? Database, KeyMask Mask)
{
    /// <param name="error">Empty, or one line that names the fault.</param>
    public static bool TryParse(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out EventRule? rule, out string error)
    {
        (rule, error) = (null, "");
        EventClass? events = null;
        int? database = null;
        var rest = text.TrimStart();
        while (!rest.StartsWith("mask=", StringComparison.Ordinal))
        {
            var end = rest.IndexOf(' ', StringComparison.Ordinal);
            var field = end < 0 ? rest : rest[..end];
            rest = end < 0 ? "" : rest[end..].TrimStart();
            if (field.StartsWith("events=", StringComparison.Ordinal))
            {
                if (events is not null) return Twice("events=", out error);

                if (!NotifyFlags.TryParse(field[7..], out var classes, out error)) return false;

                events = classes;
            }
            else if (field.StartsWith("db=", StringComparison.Ordinal))
            {
                if (database is not null) return Twice("db=", out error);

                if (!int.TryParse(field.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    error = $"a rule's db is a number from 0, not '{field[3..]}'";
                    return false;
                }

                database = number;
            }
            else
            {
                error = field.Length == 0 ? "a rule ends with mask=..." : $"a rule has the fields events=, db= and mask=, not '{field}'";
                return false;
            }
        }

        if (rest.Length == 5)
        {
            error = "a rule's mask is empty; mask=ALL stands for every key";
            return false;
        }

        rule = new EventRule(events ?? EventClass.All, database, KeyMask.Parse(Encoding.Latin1.GetBytes(rest[5..])));
        return true;
    }

    private static bool Twice(string field, out string error)
    {
        error = $"a rule has {field} twice";
        return false;
    }

    /// <summary>The rule as text that <see cref="TryParse"/> can read.</summary>
    public override string ToString() =>
        $"events={NotifyFlags.Format(Events)} {(Database is { } d ? FormattableString.Invariant($"db={d} ") : "")}mask={Encoding.Latin1.GetString(Mask.Bytes.Span)}";
}
