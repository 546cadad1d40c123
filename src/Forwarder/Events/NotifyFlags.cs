using System.Globalization;
using System.Numerics;
using System.Text;

namespace KeyEvt.Forwarder.Events;

/// <summary>How do the letters of notify-keyspace-events read and write, and which are missing from a server's?</summary>
/// <remarks>
/// What a server prints is not what was set: with all classes of <c>A</c> on it prints <c>A</c> and leaves out <c>n</c> (on Redis 8.2 also <c>o</c> and <c>c</c>), so
/// <c>AKEn</c> reads back as <c>AKE</c>. Those letters are called hidden here, when <c>A</c> is there and they are not.
/// </remarks>
public static class NotifyFlags
{
    private const EventClass HiddenByAll = EventClass.New | EventClass.Overwritten | EventClass.TypeChanged;

    // The letter of bit i of EventClass, in the order Redis prints them.
    private const string Letters = "g$lshzxetdmnocaT";

    /// <summary>
    /// Reads what a user wrote. K and E are accepted and mean nothing, as they say how Redis delivers; A stands for all that it stands for at the server; S, T, I and V
    /// all ask for the fields of hashes.
    /// </summary>
    /// <param name="error">Empty, or one line that names the fault.</param>
    public static bool TryParse(string letters, out EventClass classes, out string error)
    {
        classes = EventClass.None;
        foreach (var letter in letters.EnumerateRunes())
        {
            if (!TryGetClass(letter.Value, EventClass.All, out var one))
            {
                classes = EventClass.None;
                error = $"unknown event flag '{Printable(letter)}': flags are g $ l s h z x e t d m n o c a, A for all but m n o c, and S T I V for the fields of hashes";
                return false;
            }

            classes |= one;
        }

        var hasClass = (classes & ~EventClass.Fields) != EventClass.None;
        if (!hasClass) classes = EventClass.None;
        error = hasClass ? "" : "the event flags name no class of events: give at least one of g $ l s h z x e t d m n o c a, or A for all but m n o c";
        return hasClass;
    }

    /// <summary>The letters of the classes, in the order of Redis; A where all of its classes are there. No K, no E.</summary>
    public static string Format(EventClass classes) => Format(classes, EventClass.All);

    /// <param name="all">What A stands for.</param>
    public static string Format(EventClass classes, EventClass all)
    {
        var text = new StringBuilder();
        if (classes.HasFlag(all))
        {
            text.Append('A');
            classes &= ~all;
        }

        for (; classes != 0; classes &= classes - 1)
        {
            text.Append(LetterOf(classes));
        }

        return text.ToString();
    }

    /// <summary>The letters of the classes one by one, never A.</summary>
    public static string List(EventClass classes) => Format(classes, (EventClass)uint.MaxValue);

    /// <summary>The class that a letter stands for alone; None: it is no class's.</summary>
    internal static EventClass ClassOf(char letter) =>
        Letters.IndexOf(letter, StringComparison.Ordinal) is var bit and >= 0 ? (EventClass)(1u << bit) & ~EventClass.Fields : EventClass.None;

    /// <summary>The letter of the first of the classes.</summary>
    internal static char LetterOf(EventClass classes) => Letters[BitOperations.TrailingZeroCount((uint)classes)];

    /// <summary>What a server's letters say; letters that are not known here say nothing.</summary>
    /// <param name="all">What A stands for there.</param>
    internal static EventClass ClassesOf(string letters, EventClass all)
    {
        var classes = EventClass.None;
        foreach (var letter in letters)
        {
            // S, I and V say the same as T on channels that are not listened to.
            if (letter is not ('S' or 'I' or 'V') && TryGetClass(letter, all, out var one)) classes |= one;
        }

        return classes;
    }

    /// <summary>
    /// Nothing in what the server printed shows that a needed event will not arrive; a hidden letter has the benefit of the doubt. For looking again
    /// after <see cref="Missing"/> was written once: a hidden letter would seem to be missing for ever.
    /// </summary>
    /// <param name="all">What A stands for there.</param>
    public static bool Covers(string current, EventClass needed, EventClass all)
    {
        var missing = needed & ~ClassesOf(current, all);
        if (current.Contains('A'))
        {
            missing &= ~HiddenByAll;
        }

        return needed == EventClass.None || (missing == EventClass.None && current.Contains('E'));
    }

    /// <summary>
    /// What to write to notify-keyspace-events so that the needed events arrive as keyevent messages; null when nothing is missing. Only ever adds to what
    /// was read, also letters that are not known here.
    /// </summary>
    /// <param name="current">What CONFIG GET printed.</param>
    /// <param name="needed">With None nothing is needed, not even E.</param>
    /// <param name="all">What A stands for there.</param>
    /// <param name="ambiguous">
    /// There is something to write and <c>A</c> was read: needed hidden letters are added whether they were set or not, and others that somebody set, being
    /// invisible, are lost. Worth a line in the log.
    /// </param>
    public static string? Missing(string current, EventClass needed, EventClass all, out bool ambiguous)
    {
        var missing = Format(needed & ~ClassesOf(current, all), all);
        if (needed != EventClass.None && !current.Contains('E'))
        {
            missing += 'E';
        }

        ambiguous = missing.Length > 0 && current.Contains('A');
        return missing.Length > 0 ? current + missing : null;
    }

    private static bool TryGetClass(int letter, EventClass all, out EventClass one)
    {
        var bit = letter < 128 ? Letters.IndexOf((char)letter, StringComparison.Ordinal) : -1;
        one = bit >= 0 ? (EventClass)(1u << bit) : letter switch
        {
            'A' => all,
            'S' or 'I' or 'V' => EventClass.Fields,
            _ => EventClass.None,
        };
        return one != EventClass.None || letter is 'K' or 'E';
    }

    /// <summary>A letter that may stand in a reply line.</summary>
    private static string Printable(Rune letter) =>
        letter.Value is > 0x20 and < 0x7f ? letter.ToString() : string.Create(CultureInfo.InvariantCulture, $"U+{letter.Value:X4}");
}
