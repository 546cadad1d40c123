// What is written in the place of a number or a character?
using System.Globalization;
using Microsoft.CodeAnalysis;

namespace KeyEvt.Mutation;

/// <summary>Values next to a constant, as source text of the same type.</summary>
internal static class Constants
{
    /// <summary>The neighbour of a value: 0 for 1, else one more. Null for what is no number.</summary>
    public static string? Neighbour(object? value) => value switch
    {
        int number => Text(number == 1 ? 0 : number == int.MaxValue ? number - 1 : number + 1),
        uint number => Text(number == 1 ? 0 : number == uint.MaxValue ? number - 1 : number + 1) + "u",
        long number => Text(number == 1 ? 0 : number == long.MaxValue ? number - 1 : number + 1) + "L",
        ulong number => Text(number == 1 ? 0 : number == ulong.MaxValue ? number - 1 : number + 1) + "UL",
        double number => Text(number + 1) + "d",
        float number => Text(number + 1) + "f",
        char character => Text((char)(character + 1)),
        byte number => "(byte)" + Text((byte)(number + 1)),
        sbyte number => "(sbyte)" + Text((sbyte)(number + 1)),
        short number => "(short)" + Text((short)(number + 1)),
        ushort number => "(ushort)" + Text((ushort)(number + 1)),
        _ => null,
    };

    /// <summary>Whether arithmetic with this type is worth a change: numbers, enums of flags, spans of time.</summary>
    public static bool HasArithmetic(ITypeSymbol? type) =>
        type is { SpecialType: >= SpecialType.System_Char and <= SpecialType.System_Double } or { TypeKind: TypeKind.Enum or TypeKind.Pointer }
        || type?.Name is "TimeSpan" or "DateTimeOffset" or "DateTime" or "IntPtr" or "UIntPtr" or "Int128" or "UInt128" or "BigInteger";

    private static string Text<T>(T number)
        where T : IFormattable => number.ToString(null, CultureInfo.InvariantCulture);

    private static string Text(char character) => "(char)" + ((int)character).ToString(CultureInfo.InvariantCulture);
}
